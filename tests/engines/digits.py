"""Spoken digits that the model of digits was not trained on."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from coqui_server.media.samples import Samples
from tools.digits.voices import Voice, sequence, speak


@dataclass(frozen=True, eq=False)
class Said:
    """Digits and how they sound at 16 kHz."""

    text: str
    pcm: Samples


@cache
def said(engine: str, name: str, count: int) -> list[Said]:
    """So many sequences in a voice of `tools.digits.voices`, the same in every run."""
    random = np.random.default_rng(20261121)
    sequences = [sequence(random) for _ in range(count)]
    sounds = speak(Voice(engine, name), sequences, random)
    return [Said(" ".join(words), pcm) for words, pcm in zip(sequences, sounds, strict=True)]
