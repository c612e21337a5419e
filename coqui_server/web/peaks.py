"""The levels of a recording, for its waveform picture."""

import math
from itertools import pairwise
from pathlib import Path

import numpy as np

from coqui_server.media import wav

_SAMPLE = 2
"""Bytes."""

_LOOKED_AT = 8000
"""Samples of each part that are read, half a second: a part of a long recording has minutes, which
the picture does not need."""

_QUIETEST = 60.0
"""Decibels below full scale that are drawn as silence."""


def peaks(recording: Path, count: int) -> list[int]:
    """The level of each of `count` equal parts of a 16-bit WAV file, 0 to 100 in decibels.

    Fewer, if it has fewer samples. It blocks: run it on a thread.
    """
    samples = max(0, recording.stat().st_size - wav.HEADER) // _SAMPLE
    bounds = [samples * share // count for share in range(count + 1)]
    with recording.open("rb") as file:
        levels = []
        for start, end in pairwise(bounds):
            file.seek(wav.HEADER + start * _SAMPLE)
            data = file.read(min(end - start, _LOOKED_AT) * _SAMPLE)
            if data:
                levels.append(_level(data))
        return levels


def _level(data: bytes) -> int:
    loudest = float(np.abs(np.frombuffer(data, "<i2").astype(np.float32)).max())
    decibels = 20 * math.log10(max(loudest, 1.0) / 32768)
    return round(100 * max(0.0, 1 + decibels / _QUIETEST))
