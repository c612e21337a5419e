"""Log mel energies, as the speaker embedding was trained on them.

Kaldi's filter bank (`src/feat/feature-fbank.cc`) with its defaults, except for the Hamming window
and no dither: frames of 25 ms each 10 ms, 80 triangles on the mel scale from 20 Hz to 8 kHz.
"""

import numpy as np
import numpy.typing as npt

from coqui_server.media.samples import SAMPLE_RATE, Samples

Floats = npt.NDArray[np.float32]

HOP = SAMPLE_RATE // 100
"""Samples from one frame to the next."""

_FRAME = SAMPLE_RATE // 40
_FFT = 512
_BANDS = 80
_LOWEST = 20.0
_PREEMPHASIS = 0.97
_BLOCK = 1000
"""Frames that are transformed at a time, so that the memory stays small."""


def filter_bank(pcm: Samples) -> Floats:
    """The energies of 16 kHz mono samples, one row of 80 a frame, their mean over time taken away.

    Sound shorter than a frame gives no row.
    """
    if len(pcm) < _FRAME:
        return np.empty((0, _BANDS), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(pcm, _FRAME)[::HOP]
    blocks = [_energies(frames[at : at + _BLOCK]) for at in range(0, len(frames), _BLOCK)]
    energies = np.concatenate(blocks)
    centred: Floats = energies - energies.mean(axis=0)
    return centred


def _energies(frames: Samples) -> Floats:
    flat = frames.astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    before = np.concatenate((flat[:, :1], flat[:, :-1]), axis=1)
    spectrum = np.fft.rfft((flat - np.float32(_PREEMPHASIS) * before) * _WINDOW, _FFT)
    power = spectrum.real**2 + spectrum.imag**2
    least = np.finfo(np.float32).eps
    logarithms: Floats = np.log(np.maximum(power.astype(np.float32) @ _TRIANGLES, least))
    return logarithms


def _mel(hertz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return 1127.0 * np.log(1.0 + hertz / 700.0)


def _triangles() -> Floats:
    """The weight of each bin of the spectrum in each band."""
    lowest, highest = _mel(np.array([_LOWEST, SAMPLE_RATE / 2]))
    edges = np.linspace(lowest, highest, _BANDS + 2)
    bins = _mel(np.arange(_FFT // 2 + 1) * SAMPLE_RATE / _FFT)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    weights: Floats = np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)
    return weights


_WINDOW = np.hamming(_FRAME).astype(np.float32)
_TRIANGLES = _triangles()
