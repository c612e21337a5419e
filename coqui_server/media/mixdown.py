"""One channel from one or two, without losing what is said. No I/O."""

import numpy as np
import numpy.typing as npt

from coqui_server.media.samples import SAMPLE_RATE, Samples

_BLOCK = SAMPLE_RATE // 10

_MEMORY = 0.9
"""What the likeness of two channels keeps of itself from block to block: about a second."""

_INVERTED, _UPRIGHT = -0.6, -0.3
"""The correlation below which the second channel is turned over, and above which it is no more."""

_APART = 0.3
"""Channels are different sounds below this correlation. Music in stereo is mostly above it."""

_SILENT = 100.0
"""The root mean square (of int16) below which a channel is silent: -50 dB of full scale."""

_OVERLAP = 1.0
"""Seconds of different sounds at once after which words may be missing."""


class Mixdown:
    """Averages two channels. One that is the other inverted is turned over first.

    Attributes:
        apart: seconds for which both channels had sound, and not the same.
    """

    def __init__(self, channels: int) -> None:
        self.apart = 0.0
        self._channels = channels
        self._rest = np.empty((0, channels), np.int16)
        self._sign = 1
        self._products = np.zeros(3)

    @property
    def overlapping(self) -> bool:
        """Both channels speak at once, so that the quieter words may be lost."""
        return self.apart >= _OVERLAP

    def push(self, pcm: Samples) -> Samples:
        """Take interleaved samples; give those of whole blocks of 0.1 s."""
        if self._channels == 1:
            return pcm
        frames = np.concatenate((self._rest, pcm.reshape(-1, self._channels)))
        whole = len(frames) // _BLOCK * _BLOCK
        self._rest = frames[whole:]
        blocks = [self._mixed(block) for block in frames[:whole].reshape(-1, _BLOCK, 2)]
        return np.concatenate([np.empty(0, np.int16), *blocks])

    def flush(self) -> Samples:
        """The samples that are left at the end."""
        rest, self._rest = self._rest, self._rest[:0]
        return self._mixed(rest) if len(rest) else np.empty(0, np.int16)

    def _mixed(self, block: npt.NDArray[np.int16]) -> Samples:
        left, right = block.T.astype(np.float64)
        here = np.array([left @ left, right @ right, left @ right])
        self._compare(here, len(block))
        self._products = _MEMORY * self._products + here
        likeness = _correlation(self._products)
        if likeness < _INVERTED:
            self._sign = -1
        elif likeness > _UPRIGHT:
            self._sign = 1
        mixed: Samples = np.rint((left + self._sign * right) / 2).astype(np.int16)
        return mixed

    def _compare(self, products: npt.NDArray[np.float64], length: int) -> None:
        silent = length * _SILENT**2
        both = products[0] > silent and products[1] > silent
        if both and abs(_correlation(products)) < _APART:
            self.apart += length / SAMPLE_RATE


def _correlation(products: npt.NDArray[np.float64]) -> float:
    """From the energies of two channels and their product."""
    energy = float(np.sqrt(products[0] * products[1]))
    return float(products[2]) / energy if energy else 0.0
