"""Which channels of a recording have different people on them. No I/O.

The channels of a call recording are different sounds. Two microphones in one room hear the same
sound a little later and with another echo, so they have to be compared at a range of delays:
without one, some of such recordings are as little alike as different speakers are.

Measured over 0.5 s at the best delay: of different speakers, 95 of 100 windows are below 0.11 on
the telephone, and below 0.08 otherwise. Of rooms with 0.2 to 0.8 s of echo and microphones 20 cm to
3 m apart, 95 of 100 are above 0.13 and half above 0.2. Phones with two microphones have about 0.6.
"""

from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from coqui_server.media.samples import SAMPLE_RATE, Frames
from coqui_server.speech.evidence import spectral_variation

WINDOW = SAMPLE_RATE // 2
"""Frames that are compared at once."""

_ALIKE = 0.15
"""The correlation, at the best delay, from which two channels have the same sound."""

_DELAY = SAMPLE_RATE // 40
"""Samples (25 ms): sound goes 8 m in that time."""

_EMPHASIS = 0.95
"""Of the sample before, taken away from each: hum and the low tones of all voices are alike."""

_SILENT = 33.0
"""The root mean square (of int16) below which a channel is silent: -60 dB of full scale."""

_LIVELY = 3.5
"""The spectral variation (`evidence`) of half a second that is taken for speech. Crosstalk in the
noise of a line has up to 3."""

_FAINT = 10 ** (-25 / 20)
"""Of the louder channel: what is fainter is crosstalk at most."""

_MEMORY = 0.95
"""What is kept of the evidence from window to window of speech: about 10 s."""

_PART, _ALL = 0.5, 6.0
"""Windows of speech of its own that each of two channels needs, and windows of both in all: one
word against a sentence."""

Wave = npt.NDArray[np.float32]
Spectrum = npt.NDArray[np.complexfloating[Any, Any]]
Table = npt.NDArray[np.float64]


class Parties:
    """Looks at all channels together, window by window, in memory that does not grow.

    For each pair, three sums of windows fade: with the same sound on both, and with speech that
    only one of them has.
    """

    def __init__(self, channels: int) -> None:
        self._channels = channels
        self._alike: Table = np.zeros((channels, channels))
        self._own: Table = np.zeros((channels, channels))
        self._different = False

    def push(self, window: Frames) -> None:
        """Take the next `WINDOW` frames."""
        waves = window.T.astype(np.float32)
        levels = np.sqrt(np.einsum("ij,ij->i", waves, waves) / WINDOW)
        speaks = [
            bool(level > _SILENT) and spectral_variation(wave) > _LIVELY
            for level, wave in zip(levels, window.T, strict=True)
        ]
        if not any(speaks):
            return
        spectra = _spectra(waves)
        for one, other in combinations(range(self._channels), 2):
            if speaks[one] or speaks[other]:
                self._fade(one, other)
                near = min(levels[one], levels[other]) > _FAINT * max(levels[one], levels[other])
                if near and _likeness(spectra[one], spectra[other]) > _ALIKE:
                    self._alike[one, other] += 1
                else:
                    self._own[one, other] += speaks[one] and (near or levels[one] > levels[other])
                    self._own[other, one] += speaks[other] and (near or levels[other] > levels[one])
                self._different = self._different or self._differ(one, other)

    @property
    def groups(self) -> list[list[int]]:
        """The numbers, from 0, of the channels that have the same sound, group by group; all in one
        unless two of them have had different people."""
        if not self._different:
            return [list(range(self._channels))]
        groups: list[list[int]] = []
        for channel in range(self._channels):
            for group in groups:
                if any(self._same(other, channel) for other in group):
                    group.append(channel)
                    break
            else:
                groups.append([channel])
        return groups

    def _fade(self, one: int, other: int) -> None:
        self._alike[one, other] *= _MEMORY
        self._own[one, other] *= _MEMORY
        self._own[other, one] *= _MEMORY

    def _differ(self, one: int, other: int) -> bool:
        own, others = self._own[one, other], self._own[other, one]
        enough = own + others + self._alike[one, other] > _ALL
        return bool(enough and min(own, others) > max(_PART, self._alike[one, other]))

    def _same(self, one: int, other: int) -> bool:
        return bool(self._alike[one, other] > max(self._own[one, other], self._own[other, one]))


def _spectra(waves: Wave) -> Spectrum:
    """Of each channel, emphasised and brought to the energy 1, with room for delays."""
    clear = waves[:, 1:] - _EMPHASIS * waves[:, :-1]
    energies = np.sqrt(np.einsum("ij,ij->i", clear, clear))
    return np.fft.rfft(clear / np.maximum(energies, 1.0)[:, None], 2 * WINDOW)


def _likeness(one: Spectrum, other: Spectrum) -> float:
    """The correlation of two sounds at the best delay, whether or not one is turned over."""
    products = np.fft.irfft(one * np.conj(other))
    near = np.concatenate((products[: _DELAY + 1], products[-_DELAY:]))
    return float(np.abs(near).max())
