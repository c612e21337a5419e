"""The one form of sound inside the daemon: 16 kHz mono int16 samples."""

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]

SAMPLE_RATE = 16_000
"""Hertz. Every recogniser here takes 16 kHz, so all sound is resampled to it on the way in."""
