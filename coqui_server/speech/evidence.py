"""Decides whether sound is speech at all, because webrtcvad takes noise and tones for voices.

Speech changes its spectrum all the time; noise and tones keep theirs. The measure is how much each
frequency band's share of the frame moves, in decibels, over the loud frames that are no tones and
no telephone keys. Measured over 0.6 s and more of 16 kHz sound: white, pink, brown and modulated
noise 2.0 to 2.5; dial, ring and busy tones, dialling, sweeps, hum and clicks 0 to 2.1 (2.7 for a
busy tone at full scale); real speech 5 and up as a rule, 2.9 and up with white noise as loud as
itself, and 2.6 in the one worst word ("one", all low harmonics). Tones are removed before
the loud frames are chosen, so that a quiet answer after a loud tone still counts as speech.
"""

import numpy as np
import numpy.typing as npt

from coqui_server.media.samples import SAMPLE_RATE
from coqui_server.speech.level import percentiles

THRESHOLD = 2.5
"""Decibels, between the liveliest noise measured and the flattest word."""

_WINDOW = np.hanning(SAMPLE_RATE // 40).astype(np.float32)
_STEP = SAMPLE_RATE // 50
_FFT = 512
_BANDS = np.array([150, 300, 450, 650, 900, 1200, 1550, 1950, 2400, 2900, 3450, 4000])
_EDGES = np.round(_BANDS * _FFT / SAMPLE_RATE).astype(int)
"""Below 4 kHz only, so that telephone sound is judged like any other."""

_LOUDEST = 0.95
_LOUD = 10 ** (-15 / 10)
"""A frame is loud within 15 dB of the 95th percentile: of the loudest frame itself would let a door
that slams hide a quiet word after it (40 of 82 words tried, 2 this way)."""

_LEAST_FRAMES = 5
"""Loud frames (0.1 s) without which there is nothing to judge by."""

_TONE_BINS = 8
_TONE_SHARE = 0.97
"""A frame with this share of its power in so few of 257 bins is a tone."""

_KEYS = np.round(
    np.array([697, 770, 852, 941, 1209, 1336, 1477, 1633]) * _FFT / SAMPLE_RATE
).astype(int)
"""The four low and four high tones of a telephone's keys (ITU-T Q.23), as bins."""

_KEY_SHARE = 0.8
_KEY_MARGIN = 2
"""Frames on either side of a key's (40 ms) that may have its start or end in them."""


def is_speech(pcm: npt.NDArray[np.int16]) -> bool:
    """Whether the spectrum of these 16 kHz samples varies as speech does."""
    return spectral_variation(pcm) > THRESHOLD


def spectral_variation(pcm: npt.NDArray[np.int16]) -> float:
    """Decibels by which the bands of the loud, tone-free frames vary; 0 when there are none."""
    if len(pcm) < len(_WINDOW) + (_LEAST_FRAMES - 1) * _STEP:
        return 0.0
    frames = np.lib.stride_tricks.sliding_window_view(pcm, len(_WINDOW))[::_STEP] * _WINDOW
    power = np.abs(np.fft.rfft(frames, _FFT)) ** 2
    bands = np.add.reduceat(power, _EDGES, axis=1)[:, :-1] / np.diff(_EDGES)
    plain = ~(_tonal(power) | _keyed(power))
    bands, energy = bands[plain], bands[plain].sum(axis=1)
    if len(bands) < _LEAST_FRAMES:
        return 0.0
    (loudest,) = percentiles(energy, _LOUDEST)
    kept = bands[energy > loudest * _LOUD]
    if len(kept) < _LEAST_FRAMES:
        return 0.0
    shares = 10 * np.log10(kept + energy.max() * 1e-6)
    shares -= shares.mean(axis=1, keepdims=True)
    return float(shares.std(axis=0).mean())


def _tonal(power: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    strongest = np.partition(power, -_TONE_BINS, axis=1)[:, -_TONE_BINS:].sum(axis=1)
    tonal: npt.NDArray[np.bool_] = strongest > _TONE_SHARE * power.sum(axis=1)
    return tonal


def _keyed(power: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which frames are at or beside one low and one high key tone and little else."""
    around = power[:, _KEYS - 1] + power[:, _KEYS] + power[:, _KEYS + 1]
    low, high = around[:, :4].max(axis=1), around[:, 4:].max(axis=1)
    whole = power.sum(axis=1)
    both = (low + high > _KEY_SHARE * whole) & (np.minimum(low, high) > whole / 10)
    near = np.convolve(both, np.ones(2 * _KEY_MARGIN + 1), "same")
    keyed: npt.NDArray[np.bool_] = near > 0.5
    return keyed
