"""One utterance on its way through a recognizer."""

import asyncio
from dataclasses import dataclass, field, replace

import numpy as np

from coqui_server.audio.level import Samples
from coqui_server.engines.base import Engine, Hypothesis, Options, Recognizer, Word
from coqui_server.settings import SAMPLE_RATE


@dataclass(eq=False)
class Utterance:
    """Speech between two silences: samples in at one end, steps of decoding at the other.

    The session writes and a decoding task takes, both on the event loop; `step` runs on a decoder
    thread. What is pending is bounded by `vad.max_utterance`.

    Attributes:
        start: seconds from the session's start.
        pace: seconds of new speech that make a step worth while before the end; None: one step.
        end: seconds from the session's start; None while it is open.
    """

    start: float
    pace: float | None
    end: float | None = None
    shown: str = ""
    _pending: list[Samples] = field(default_factory=list)
    _due: asyncio.Event = field(default_factory=asyncio.Event)
    _recognizer: Recognizer | None = None

    def add(self, pcm: Samples) -> None:
        """Take the next samples."""
        self._pending.append(pcm)
        fresh = sum(map(len, self._pending)) / SAMPLE_RATE
        if self.pace is not None and fresh >= self.pace:
            self._due.set()

    def close(self, end: float) -> None:
        """There will be no more samples."""
        self.end = end
        self._due.set()

    async def due(self) -> Samples:
        """Wait until a step is worth while, and take the samples for it."""
        await self._due.wait()
        self._due.clear()
        taken, self._pending = self._pending, []
        return np.concatenate([np.empty(0, np.int16), *taken])

    def step(
        self, engine: Engine, options: Options, pcm: Samples, *, partial: bool, last: bool
    ) -> Hypothesis | None:
        """Feed the recognizer, opening it first if need be, and ask it for what is wanted."""
        recognizer = self._recognizer = self._recognizer or engine.open(options)
        recognizer.feed(pcm)
        if last:
            # Native memory is freed here, on the thread that used it, not when the last event is.
            self._recognizer = None
            return recognizer.finish()
        return recognizer.partial() if partial else None

    def placed(self, words: tuple[Word, ...]) -> tuple[Word, ...]:
        """The words with times from the session's start."""
        return tuple(
            replace(word, start=word.start + self.start, end=word.end + self.start)
            for word in words
        )
