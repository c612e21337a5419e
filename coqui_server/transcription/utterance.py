"""One utterance: the gate writes its samples, and a decoding task takes them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

import numpy as np

from coqui_server.media.samples import SAMPLE_RATE, Samples

Span = tuple[float, float | None]
"""The start and the end of an utterance, in seconds from the session's start; the end is None while
somebody speaks."""


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
        reported: its final is reported, or there will be none.
        shown: the text of the last partial.
        kept: its samples are needed after they were taken, too.
        draft: the tokens of the hypothesis so far. Decoder threads read and write it.
    """

    start: float
    end: float | None = None
    length: int = 0
    paused: bool = False
    first: bool = False
    shown: str = ""
    reported: bool = False
    kept: bool = False
    draft: tuple[int, ...] = ()
    _samples: list[Samples] = field(default_factory=list)
    _taken: int = 0
    _fresh: int = 0
    _awaited: float | None = None
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
        self._awaited = inf if seconds is None else seconds * SAMPLE_RATE
        self._changed.set()
        await self._until_or_end(lambda: not self._waits)
        self._awaited = None
        fresh, self._fresh = self._fresh, 0
        return fresh / SAMPLE_RATE

    async def paused_at(self) -> int:
        """Wait for a pause, or the end; give the number of samples by then."""
        await self._until_or_end(lambda: self.paused)
        return self.length

    async def ended(self) -> int:
        """Wait for the end; give the number of samples."""
        await self._until(lambda: self.end is not None)
        return self.length

    async def ends_at(self, length: int) -> bool:
        """Wait for the end (True), or for more than `length` samples (False)."""
        await self._until_or_end(lambda: self.length > length)
        return self.length == length

    def rest(self) -> None:
        """Decoding has nothing to do until the end."""
        self._awaited = inf
        self._changed.set()

    def report(self) -> None:
        """Its final is reported, or there will be none."""
        self.reported = True
        self._changed.set()

    async def caught_up(self) -> None:
        """Wait until all results of the samples so far are reported."""
        await self._until(lambda: self.reported or (self.end is None and self._waits))

    @property
    def _waits(self) -> bool:
        """Whether decoding has nothing to do until there are more samples."""
        return self._awaited is not None and self._fresh < self._awaited

    async def _until_or_end(self, condition: Callable[[], bool]) -> None:
        await self._until(lambda: self.end is not None or condition())

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    def whole(self) -> Samples:
        """All samples so far that are not forgotten. May be called from any thread."""
        return np.concatenate([np.empty(0, np.int16), *self._samples])

    def take(self) -> Samples:
        """The samples since the last take, which are then forgotten unless they are kept."""
        fresh = self.whole()[self._taken :]
        if self.kept:
            self._taken += len(fresh)
        else:
            self._samples = []
        return fresh
