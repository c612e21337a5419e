"""Notices that a live source has stopped sending.

The gate counts silence in samples. A speaker who is muted, put on hold or cut off sends none, so
then the closing silence is counted by the clock.
"""

import asyncio

_GRACE = 0.1
"""Seconds in which sound that has arrived gets through a busy event loop."""

_LONGEST_PIECE = 5.0
"""Seconds. Sound that is sent faster than it is spoken puts the next piece off by no more."""


def _now() -> float:
    return asyncio.get_running_loop().time()


class StallTimer:
    """Says when the next sound of one source is overdue. It starts stopped.

    A source that sends in real time sends the next piece when this one has been spoken. It is
    overdue `silence` seconds after that.
    """

    def __init__(self, silence: float) -> None:
        self._silence = silence
        self._spoken_until = 0.0
        self._due: float | None = None
        self._started = asyncio.Event()

    @property
    def expired(self) -> bool:
        """Whether the source is overdue now."""
        return self._due is not None and self._due <= _now()

    def stop(self) -> None:
        """The source may be waiting for us."""
        self._due = None

    def start(self, seconds: float) -> None:
        """It is the source's turn; it has sent this much sound since the last start."""
        now = _now()
        spoken_until = max(self._spoken_until, now) + seconds
        self._spoken_until = min(spoken_until, now + _LONGEST_PIECE)
        self._due = self._spoken_until + self._silence
        self._started.set()

    async def wait(self) -> None:
        """Wait until the source is overdue."""
        while True:
            due = self._due
            if due is None:
                self._started.clear()
                await self._started.wait()
            elif (left := due - _now()) > 0:
                await asyncio.sleep(left)
            else:
                looked = _now()
                await asyncio.sleep(_GRACE)
                if self._due == due and _now() - looked < 2 * _GRACE:
                    return
