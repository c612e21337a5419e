"""The one form of sound inside the daemon: 16 kHz int16 samples, mono but for files being read."""

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]
"""One channel."""

Frames = npt.NDArray[np.int16]
"""All channels of a file: a row for each moment, a column for each channel."""

SAMPLE_RATE = 16_000
"""Hertz. Every recogniser here takes 16 kHz, so all sound is resampled to it on the way in."""
