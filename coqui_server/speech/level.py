"""Raises quiet speech to one level before the VAD and the recogniser get it.

Both were made for speech of ordinary loudness. `docs/tuning.md` has the measured effect: most words
that a strict VAD misses are quiet ones.
"""

from math import log10

import numpy as np
import numpy.typing as npt

from coqui_server.config.audio import LevelSettings
from coqui_server.media.samples import SAMPLE_RATE, Samples

Powers = npt.NDArray[np.float32]
"""Mean squares, of full scale 1."""

_NOTHING: Samples = np.empty(0, np.int16)

FRAME = SAMPLE_RATE // 50
"""Samples in 20 ms, the grain of the measurement and of the gain."""

_HOP = 25
"""Frames between two measurements (0.5 s): speech level moves slowly, percentiles cost time."""

_YOUNG = 500
"""Frames (10 s) after which another second changes so little that every other hop is left out."""

_HISTORY = 1500
"""Frames looked back on (30 s), enough to hold speech even in a call with long pauses."""

_SLOPE = 6.0 / 50
"""Decibels of gain per frame (6 dB/s): slower than syllables, so the VAD's contrast is kept."""

_CEILING = 0.98 * 32767
_CONTRAST = 8.0
"""Decibels between loud and soft frames. With less, nothing in the window looks like speech."""

_FAINTEST = -65.0
"""dBFS. Fainter sound is the noise of a converter, not a voice."""

_LOUD = 10 ** (-15 / 10)
"""Of the power of the 95th percentile: frames within 15 dB of it are speech."""

_PER_SQUARE = 1 / (FRAME * 32768**2)
_LEAST = 1e-12
"""Power (-120 dBFS) of digital silence, so that it has a level."""


class Leveller:
    """A gain that follows the speech level of the last 30 s and of `lookahead` seconds to come.

    With no look-ahead it is causal and adds no delay, as live sound needs it. For a file it
    looks 30 s ahead: a short file has one gain from its first word, and a long one is followed from
    speaker to speaker in constant memory.
    """

    def __init__(self, settings: LevelSettings, lookahead: float) -> None:
        self._settings = settings
        self._ahead = round(lookahead * SAMPLE_RATE / FRAME)
        self._held = np.empty(0, np.int16)
        self._powers = np.empty(0, np.float32)
        self._unmeasured: list[Samples] = []
        self._seen = 0
        self._first = 0
        self._emitted = 0
        self._target = 0.0
        self._gain = 0.0

    def push(self, pcm: Samples) -> Samples:
        """Take int16 samples; give back those whose gain is known by now."""
        known = (self._seen - self._emitted) * FRAME
        self._held = np.concatenate((self._held, pcm)) if self._held.size else pcm
        fresh = self._held[known : len(self._held) // FRAME * FRAME]
        self._unmeasured.append(fresh.copy())
        self._seen += len(fresh) // FRAME
        return self._emit(self._seen - self._ahead)

    def flush(self) -> Samples:
        """The end of the sound: give back all that was held."""
        whole = self._emit(self._seen)
        rest = self._amplify(self._held.reshape(1, -1)) if self._held.size else self._held
        self._held = np.empty(0, np.int16)
        return np.concatenate((whole, rest))

    def _measure(self) -> None:
        """Measure what came since the last time, all at once: numpy costs by the call."""
        frames = np.concatenate(self._unmeasured).reshape(-1, FRAME).astype(np.float32)
        self._unmeasured.clear()
        squares = np.einsum("ij,ij->i", frames, frames)
        self._powers = np.concatenate((self._powers, squares * _PER_SQUARE + _LEAST))

    def _emit(self, until: int) -> Samples:
        blocks: list[Samples] = []
        while self._emitted < until:
            if self._emitted % (_HOP if self._emitted < _YOUNG else 2 * _HOP) == 0:
                self._retarget()
            count = min(_HOP - self._emitted % _HOP, until - self._emitted)
            blocks.append(self._amplify(self._held[: count * FRAME].reshape(-1, FRAME)))
            self._held = self._held[count * FRAME :]
            self._emitted += count
        return np.concatenate(blocks or [_NOTHING])

    def _retarget(self) -> None:
        """Choose the gain from the window around the next frame to go out."""
        if self._unmeasured:
            self._measure()
        oldest = max(self._first, self._emitted - _HISTORY)
        self._powers = self._powers[oldest - self._first :]
        self._first = oldest
        level = _speech_level(self._powers[: self._emitted + self._ahead - oldest])
        if level is not None:
            gain = self._settings.target - level
            self._target = min(max(gain, 0.0), self._settings.max_gain)
            if self._emitted == 0:
                self._gain = self._target

    def _amplify(self, frames: Samples) -> Samples:
        """Move the gain towards its target, held down wherever a frame would clip."""
        if self._gain == self._target == 0.0:
            return frames.ravel()
        steps = _SLOPE * np.arange(1, len(frames) + 1)
        way = self._target - self._gain
        decibels = self._gain + np.sign(way) * np.minimum(steps, abs(way))
        self._gain = float(decibels[-1])
        peaks = np.abs(frames.astype(np.float32)).max(axis=1)
        gains = np.minimum(10 ** (decibels / 20), np.maximum(_CEILING / np.maximum(peaks, 1), 1.0))
        louder: Samples = np.rint(frames * gains[:, None]).astype(np.int16).ravel()
        return louder


def _speech_level(powers: Powers) -> float | None:
    """The level (dBFS) of the loud part of frames of these powers, None if none of it is speech."""
    if len(powers) < _HOP:
        return None
    soft, loud = percentiles(powers, 0.10, 0.95)
    if _decibels(loud / soft) < _CONTRAST or _decibels(loud) < _FAINTEST:
        return None
    return _decibels(float(np.mean(powers[powers > loud * _LOUD])))


def _decibels(power: float) -> float:
    return 10 * log10(power)


def percentiles(values: Powers, *shares: float) -> list[float]:
    """As np.percentile, in a fifth of its time: this runs twice a second for each call."""
    places = [share * (len(values) - 1) for share in shares]
    below = [int(place) for place in places]
    parted = np.partition(values, sorted({*below, *(min(b + 1, len(values) - 1) for b in below)}))
    return [
        float(parted[low] + (parted[min(low + 1, len(values) - 1)] - parted[low]) * (place - low))
        for place, low in zip(places, below, strict=True)
    ]
