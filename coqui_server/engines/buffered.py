"""The recognizer of engines that decode an utterance as a whole."""

from collections.abc import Callable

import numpy as np

from coqui_server.engines.base import Hypothesis
from coqui_server.media.samples import SAMPLE_RATE, Samples

_SHORTEST = SAMPLE_RATE // 10
"""Samples (0.1 s). Less has no word, and Moonshine's convolutions need 1,000."""

_FAINTEST = 33
"""Of 32768 (-60 dBFS). In silence a model may invent a word."""


class BufferedRecognizer:
    """Keeps the utterance, and decodes the whole of it for each hypothesis.

    Its size is bounded by `vad.max_utterance`.

    Args:
        decode: gives the hypothesis of all these samples. Not called for silence.
    """

    def __init__(self, decode: Callable[[Samples], Hypothesis]) -> None:
        self._decode = decode
        self._sound: list[Samples] = []
        self._finished = False

    def feed(self, pcm: Samples) -> None:
        self._check()
        self._sound.append(pcm)

    def partial(self) -> Hypothesis:
        self._check()
        whole = np.concatenate([np.empty(0, np.int16), *self._sound])
        if len(whole) < _SHORTEST or np.abs(whole, dtype=np.int32).max() < _FAINTEST:
            return Hypothesis("")
        return self._decode(whole)

    def finish(self) -> Hypothesis:
        said = self.partial()
        self._finished = True
        self._sound.clear()
        return said

    def _check(self) -> None:
        if self._finished:
            raise RuntimeError("this recognizer has finished")
