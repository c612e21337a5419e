"""Takes away what lies below the voice, where it would hide the voice.

An offset, hum or rumble as loud as quiet speech hides it: every frame then looks like a tone to
`evidence` and has no contrast for the level, and no text comes. Speech without such a fault passes
unchanged, because recognisers need its low notes: with the filter always on, the WER of the 30
clips rose from 5.8 to 6.0 % (100 Hz) and 7.4 % (150 Hz).
"""

from collections import deque
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from coqui_server.media.samples import Samples
from coqui_server.speech.highpass import HighPass
from coqui_server.speech.level import FRAME, percentiles

_BLOCK = 10
"""Frames (0.2 s) between two decisions. The first block is held until it is whole."""

_FLOOR_HISTORY = 250
"""Frames (5 s) in which the steady part of the low sound is looked for."""

_VOICE_HISTORY = 1500
"""Frames (30 s) in which the loud part of the rest is looked for, as the level does."""

_MARGIN = 10 ** (10 / 10)
"""The low sound is too loud when its steady part is within 10 dB of the loud part of the rest."""

_FAINTEST = 10 ** (-55 / 10)
"""Power (-55 dBFS) of steady low sound that hides no voice."""

_YOUNG = 50
"""Frames (1 s) in which all may be one vowel, or the room before the first word."""

_YOUNG_MARGIN, _YOUNG_FAINTEST = 10 ** (-6 / 10), 10 ** (-35 / 10)
"""Until then the low sound must be 6 dB louder than the rest, and above -35 dBFS. With the other
two figures from the start, 47 of 165 clean clips began filtered; with these, none."""

_STEP = 1 / _BLOCK
"""Of the filter, per frame: it comes and goes within 0.2 s, without a click."""

_PER_SQUARE = 1 / (FRAME * 32768**2)

Sound = npt.NDArray[np.float32]


class LowCut:
    """Filters one stream while it needs it. No clock, no I/O.

    Args:
        cutoff: hertz; 0 lets everything pass.
    """

    def __init__(self, cutoff: float) -> None:
        self._off = cutoff == 0
        self._highpass = HighPass(cutoff)
        self._held: Samples = np.empty(0, np.int16)
        self._low: deque[float] = deque(maxlen=_FLOOR_HISTORY)
        self._rest: deque[float] = deque(maxlen=_VOICE_HISTORY)
        self._frames = 0
        self._share = self._target = 0.0

    def push(self, pcm: Samples) -> Samples:
        """Take int16 samples of any count; give the whole frames (20 ms) that are ready."""
        if self._off:
            return pcm
        self._held = np.concatenate((self._held, pcm))
        if self._frames == 0 and len(self._held) < _BLOCK * FRAME:
            return self._held[:0]
        whole = len(self._held) // FRAME * FRAME
        ready, self._held = self._held[:whole], self._held[whole:]
        return self._filter(ready)

    def flush(self) -> Samples:
        """The end of the stream: give what was held, less than a frame of a longer stream."""
        rest, self._held = self._held, self._held[:0]
        if not self._share:
            return rest
        return self._mixed(rest, self._highpass.push(rest).astype(np.float32), self._share)

    def _filter(self, pcm: Samples) -> Samples:
        frames = pcm.reshape(-1, FRAME)
        high = self._highpass.push(pcm).reshape(-1, FRAME).astype(np.float32)
        low, rest = _powers(frames.astype(np.float32) - high), _powers(high)
        if self._frames == 0:
            self._share = self._target = _needed(low[:_BLOCK], rest[:_BLOCK])
        shares = [self._next_share(*powers) for powers in zip(low, rest, strict=True)]
        if not any(shares):
            return pcm
        return self._mixed(frames, high, np.array(shares, np.float32)[:, None]).ravel()

    def _next_share(self, low: float, rest: float) -> float:
        """How much of a frame's low sound is taken away, given the frames before it."""
        if self._frames and self._frames % _BLOCK == 0:
            self._target = _needed(self._low, self._rest)
        self._low.append(low)
        self._rest.append(rest)
        self._frames += 1
        way = self._target - self._share
        self._share += max(-_STEP, min(_STEP, way))
        return self._share

    @staticmethod
    def _mixed(sound: Samples, high: Sound, share: Sound | float) -> Samples:
        mixed = sound + share * (high - sound)
        samples: Samples = np.clip(np.rint(mixed), -32768, 32767).astype(np.int16)
        return samples


def _needed(low: Iterable[float], rest: Iterable[float]) -> float:
    """1 if the steady low sound would hide the loud part of the rest, else 0."""
    powers = np.fromiter(low, np.float32)
    (floor,) = percentiles(powers, 0.10)
    (loud,) = percentiles(np.fromiter(rest, np.float32), 0.95)
    if len(powers) < _YOUNG:
        return float(floor > max(_YOUNG_FAINTEST, loud / _YOUNG_MARGIN))
    return float(floor > max(_FAINTEST, loud / _MARGIN))


def _powers(frames: Sound) -> list[float]:
    powers: list[float] = (np.einsum("ij,ij->i", frames, frames) * _PER_SQUARE).tolist()
    return powers
