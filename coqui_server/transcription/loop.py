"""How much of the event loop live sessions need, and how late the loop is.

All sockets, protocols, levels and gates run on one event loop, on one core. With many clients it is
full before the decoder threads are, and then every reply is late.
"""

import asyncio
import time
from collections import deque
from collections.abc import Collection

from coqui_server.transcription.load import Measured

_TICK = 0.1
"""Seconds between two measurements."""

_WINDOW = 50
"""Measurements (5 s) of which the median lateness is taken."""

_YOUNG = 60.0
"""Seconds of live sound that what was expected counts for."""

_TOO_LATE = 0.1
"""Seconds. Where half of all that is due is later than this, replies are late for everybody."""


_MEMORY = 600.0
"""Seconds of live sound the cost of a session is drawn from; older ones fade."""


class LoopMeter:
    """Measures the loop it is started on, until it is stopped.

    Args:
        live: the live sessions that are open, kept by the caller.

    Attributes:
        others: whether other sessions, such as files, use the loop too; their work would be taken
            for that of the live ones, so nothing is learned then.
    """

    def __init__(self, live: Collection[Measured]) -> None:
        self.others = False
        self._live = live
        self._sound = self._spent = 0.0
        self._late: deque[float] = deque(maxlen=_WINDOW)
        self._timer: asyncio.TimerHandle | None = None

    @property
    def cost(self) -> float:
        """The share of the loop that one live session needs."""
        return self._spent / self._sound if self._sound else 0.0

    @property
    def demand(self) -> float:
        """The share of the loop that the open live sessions need."""
        return len(self._live) * self.cost

    @property
    def lateness(self) -> float:
        """Seconds; the median of the last measurements, 0 while there are few."""
        if len(self._late) < _WINDOW // 5:
            return 0.0
        return sorted(self._late)[len(self._late) // 2]

    @property
    def overdue(self) -> bool:
        """Whether the loop is late for everybody."""
        return self.lateness > _TOO_LATE

    def expect(self, cost: float) -> None:
        """Until there are sessions to learn from, assume that one needs this share."""
        self._learn(_YOUNG, cost * _YOUNG)

    def start(self) -> None:
        """Measure from now on. Does nothing if it does so already."""
        if self._timer is None:
            self._late.clear()
            self._schedule()

    def stop(self) -> None:
        """Measure no more."""
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _schedule(self) -> None:
        loop = asyncio.get_running_loop()
        self._began, self._processor, self._written = loop.time(), time.thread_time(), self._total()
        self._timer = loop.call_later(_TICK, self._measure)

    def _measure(self) -> None:
        took = asyncio.get_running_loop().time() - self._began
        self._late.append(took - _TICK)
        if not self.others:
            # Some sessions are silent, and some send faster than real time.
            sound = max(took * len(self._live), self._total() - self._written)
            self._learn(sound, time.thread_time() - self._processor)
        self._schedule()

    def _total(self) -> float:
        return sum(session.duration for session in self._live)

    def _learn(self, sound: float, spent: float) -> None:
        self._sound += sound
        self._spent += spent
        if self._sound > _MEMORY:
            self._spent *= _MEMORY / self._sound
            self._sound = _MEMORY
