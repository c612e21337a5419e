"""One utterance: the gate writes its samples, and a decoding task takes them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from coqui_server.media.samples import SAMPLE_RATE, Samples


@dataclass(eq=False)
class Utterance:
    """Speech between two silences. Written and read on the event loop.

    Its size is bounded by `vad.max_utterance`.

    Attributes:
        start: seconds from the session's start.
        end: seconds from the session's start; None while it is open.
        length: samples so far.
        paused: the speaker is silent, and all samples are there if it stays so.
        first: all finals before it are reported, so that its partials may be.
        shown: the text of the last partial.
    """

    start: float
    end: float | None = None
    length: int = 0
    paused: bool = False
    first: bool = False
    shown: str = ""
    _samples: list[Samples] = field(default_factory=list)
    _fresh: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, pcm: Samples) -> None:
        """Take the next samples."""
        self._samples.append(pcm)
        self.length += len(pcm)
        self._fresh += len(pcm)
        self.paused = False
        self._changed.set()

    def pause(self) -> None:
        """There may be no more samples."""
        self.paused = True
        self._changed.set()

    def close(self, end: float) -> None:
        """There will be no more samples."""
        self.end = end
        self._changed.set()

    async def speech(self, seconds: float | None) -> float:
        """Wait for so many seconds of new speech (None: all of it) or the end; give its seconds."""
        await self._until(lambda: seconds is not None and self._fresh >= seconds * SAMPLE_RATE)
        fresh, self._fresh = self._fresh, 0
        return fresh / SAMPLE_RATE

    async def paused_at(self) -> int:
        """Wait for a pause, or the end; give the number of samples by then."""
        await self._until(lambda: self.paused)
        return self.length

    async def ends_at(self, length: int) -> bool:
        """Wait for the end (True), or for more than `length` samples (False)."""
        await self._until(lambda: self.length > length)
        return self.length == length

    async def _until(self, enough: Callable[[], bool]) -> None:
        while self.end is None and not enough():
            self._changed.clear()
            await self._changed.wait()

    def whole(self) -> Samples:
        """All samples so far. May be called from any thread."""
        return np.concatenate([np.empty(0, np.int16), *self._samples])

    def take(self) -> Samples:
        """The samples since the last take, which are then forgotten."""
        taken, self._samples = self.whole(), []
        return taken
