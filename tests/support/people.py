"""Several people out of the one voice of the samples."""

import numpy as np

from coqui_server.media.samples import SAMPLE_RATE, Samples
from tests.support.clips import clip

ANNA, BERT, CARL = 1.0, 0.75, 1.2
"""How fast each one's recordings are played, which makes a voice higher or lower."""


def said_by(person: float, name: str) -> Samples:
    """What a sample says, in the voice of that person."""
    pcm = clip(name).pcm
    moments = np.arange(0, len(pcm) - 1, person)
    played: Samples = np.interp(moments, np.arange(len(pcm)), pcm).astype(np.int16)
    return played


def conversation(*turns: tuple[float, str], pause: float = 0.5) -> Samples:
    """Samples that are said by these people, one after the other."""
    silence = np.zeros(round(pause * SAMPLE_RATE), np.int16)
    parts = [part for turn in turns for part in (said_by(*turn), silence)]
    return np.concatenate(parts)
