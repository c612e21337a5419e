"""Voices that need no sound."""

import numpy as np

from coqui_server.speakers.voices import Voice


def voice(
    person: int, start: float, seconds: float = 2.0, window: int | None = None, noise: float = 0.6
) -> Voice:
    """Of that person; a window of its own if none is named. Prints of a person are about as alike
    as real ones, 0.7, and of two people as unlike, 0."""
    random = np.random.default_rng([person, round(1000 * start)])
    vector = np.zeros(64)
    vector[person] = 1.0
    vector += noise * random.normal(0, 1 / 8, 64)
    print = (vector / np.linalg.norm(vector)).astype(np.float32)
    own = round(1000 * start) if window is None else window
    return Voice(start, start + seconds, print, seconds, own, 0)
