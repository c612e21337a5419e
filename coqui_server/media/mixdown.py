"""One channel from several, without losing what is said. No I/O."""

import numpy as np
import numpy.typing as npt

from coqui_server.media.samples import SAMPLE_RATE, Frames, Samples

_BLOCK = SAMPLE_RATE // 10

_MEMORY = 0.9
"""What the likeness of two channels keeps of itself from block to block: about a second."""

_INVERTED, _UPRIGHT = -0.6, -0.3
"""The correlation below which a channel is turned over, and above which it is no more."""

_SURROUND, _CENTRE = 5, 2
"""With so many channels and more it may be a film, whose voices are on the third channel: it counts
twice, as in ffmpeg's own mix."""

Wave = npt.NDArray[np.float64]


class Mixdown:
    """Averages channels. One that is the others inverted is turned over first."""

    def __init__(self) -> None:
        self._signs: Wave = np.empty(0)

    def push(self, frames: Frames) -> Samples:
        """One channel of the next frames, always of as many channels. They are looked at in blocks
        of 0.1 s, so the result is the same for all pieces that are a multiple of that."""
        if frames.shape[1] == 1:
            return frames[:, 0]
        if not len(self._signs):
            self._prepare(frames.shape[1])
        blocks = [frames[start : start + _BLOCK] for start in range(0, len(frames), _BLOCK)]
        return np.concatenate([np.empty(0, np.int16), *map(self._mixed, blocks)])

    def _prepare(self, channels: int) -> None:
        self._signs = np.ones(channels)
        self._products = np.zeros((channels, 3))
        self._weights = np.ones(channels)
        if channels >= _SURROUND:
            self._weights[_CENTRE] = 2.0

    def _mixed(self, block: Frames) -> Samples:
        first, *others = block.T * self._weights[:, None]
        mix: Wave = first
        for channel, wave in enumerate(others, start=1):
            mix = mix + self._sign(channel, mix, wave) * wave
        mixed: Samples = np.rint(mix / self._weights.sum()).astype(np.int16)
        return mixed

    def _sign(self, channel: int, mix: Wave, wave: Wave) -> float:
        """-1 if a channel is what the channels before it are, turned over; otherwise 1."""
        here = np.array([mix @ mix, wave @ wave, mix @ wave])
        self._products[channel] = _MEMORY * self._products[channel] + here
        likeness = _correlation(self._products[channel])
        if likeness < _INVERTED:
            self._signs[channel] = -1.0
        elif likeness > _UPRIGHT:
            self._signs[channel] = 1.0
        return float(self._signs[channel])


def _correlation(products: Wave) -> float:
    """From the energies of two sounds and their product."""
    energy = float(np.sqrt(products[0] * products[1]))
    return float(products[2]) / energy if energy else 0.0
