"""One utterance: samples in at one end, what decoding needs of them out at the other."""

import asyncio
from dataclasses import dataclass, field, replace

import numpy as np

from coqui_server.audio.level import Samples
from coqui_server.engines.base import Word
from coqui_server.settings import SAMPLE_RATE


@dataclass(eq=False)
class Utterance:
    """Speech between two silences. The session writes and a decoding task takes, both on the loop.

    What it holds is bounded by `vad.max_utterance`.

    Attributes:
        start: seconds from the session's start.
        end: seconds from the session's start; None while it is open.
        shown: the text of the last partial.
    """

    start: float
    end: float | None = None
    shown: str = ""
    _samples: list[Samples] = field(default_factory=list)
    _fresh: int = 0
    _due: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, pcm: Samples) -> None:
        """Take the next samples."""
        self._samples.append(pcm)
        self._fresh += len(pcm)
        self._due.set()

    def close(self, end: float) -> None:
        """There will be no more samples."""
        self.end = end
        self._due.set()

    async def due(self, seconds: float | None) -> float:
        """Wait for so much new speech (None: all of it), or the end; give how much it is."""
        while self.end is None and (seconds is None or self._fresh < seconds * SAMPLE_RATE):
            self._due.clear()
            await self._due.wait()
        fresh, self._fresh = self._fresh, 0
        return fresh / SAMPLE_RATE

    def whole(self) -> Samples:
        """All samples so far."""
        self._samples = [np.concatenate([np.empty(0, np.int16), *self._samples])]
        return self._samples[0]

    def take(self) -> Samples:
        """The samples since the last take, which are then forgotten."""
        taken = self.whole()
        self._samples = []
        return taken

    def placed(self, words: tuple[Word, ...]) -> tuple[Word, ...]:
        """The words with times from the session's start."""
        return tuple(
            replace(word, start=word.start + self.start, end=word.end + self.start)
            for word in words
        )
