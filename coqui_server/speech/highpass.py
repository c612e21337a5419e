"""A streaming high-pass filter: removes what lies below the voice. No clock, no I/O.

An offset, rumble or hum under quiet speech hides it: every frame then looks like a tone to
`evidence`, and has no contrast for the level.

The filter is a Butterworth high-pass of the fourth order (24 dB an octave). It is computed block by
block, because numpy costs by the call: a block of output is one matrix times the block of input,
plus one matrix times the state that the blocks before have left.
"""

from functools import cache
from math import cos, pi, sin
from typing import Any

import numpy as np
import numpy.typing as npt

from coqui_server.media.samples import SAMPLE_RATE, Samples

_BLOCK = 128
"""Samples. Shorter blocks are more calls, longer ones more multiplications; of 64 to 320 this was
the fastest, 0.5 ms of processor for a second of sound."""

_MOST = 8 * _BLOCK
"""Samples at once. For larger products the library behind numpy starts threads, which wait for the
decoders' processors: on two busy cores a minute of a file then took 0.8 s longer."""

_DAMPING = (cos(pi / 8), cos(3 * pi / 8))
"""Of the two sections of a Butterworth filter of the fourth order; Q is half the inverse."""

_ORDER = 2 * len(_DAMPING)

Matrix = npt.NDArray[np.floating[Any]]


class HighPass:
    """Filters one stream.

    Args:
        cutoff: hertz, where the filter takes 3 dB away; 0 for no filter.
    """

    def __init__(self, cutoff: float) -> None:
        self._filter = _blocks(cutoff) if cutoff else None
        self._state: Matrix | None = None

    def push(self, pcm: Samples) -> Samples:
        """Take int16 samples of any count; give as many, filtered."""
        if self._filter is None or not len(pcm):
            return pcm
        if self._state is None:
            # As if the first sample had gone on for ever, or an offset would begin with a click.
            self._state = self._filter.settled(float(pcm[0]))
        parts = []
        for start in range(0, len(pcm), _MOST):
            sound = pcm[start : start + _MOST].astype(np.float64)
            filtered, self._state = self._filter.run(sound, self._state)
            parts.append(filtered)
        samples: Samples = np.clip(np.rint(np.concatenate(parts)), -32768, 32767).astype(np.int16)
        return samples


class _Blocks:
    """A filter `s' = A s + B x`, `y = C s + D x`, for whole blocks of samples at once."""

    def __init__(self, a: Matrix, b: Matrix, c: Matrix, d: float) -> None:
        powers = [np.eye(_ORDER)]
        for _ in range(_BLOCK):
            powers.append(a @ powers[-1])
        self._powers = powers
        self._still: Matrix = np.linalg.solve(np.eye(_ORDER) - a, b)
        # What the state adds to each sample of the block, and each sample to the state after it.
        self._from_state = np.array([c @ power for power in powers[:_BLOCK]])
        self._to_state = np.array([powers[_BLOCK - 1 - place] @ b for place in range(_BLOCK)])
        response = np.array([d, *(self._from_state[:-1] @ b)])
        places = np.arange(_BLOCK)
        lags = places[:, None] - places
        self._response = np.where(lags >= 0, response[np.maximum(lags, 0)], 0.0)

    def settled(self, value: float) -> Matrix:
        """The state after samples of one value without end."""
        return self._still * value

    def run(self, sound: Matrix, state: Matrix) -> tuple[Matrix, Matrix]:
        """The filtered sound, and the state after it."""
        whole = len(sound) // _BLOCK * _BLOCK
        blocks = sound[:whole].reshape(-1, _BLOCK)
        added = blocks @ self._to_state
        states = np.empty((len(blocks), _ORDER))
        for place, change in enumerate(added):
            states[place] = state
            state = self._powers[_BLOCK] @ state + change
        filtered = blocks @ self._response.T + states @ self._from_state.T
        rest = sound[whole:]
        count = len(rest)
        last = self._response[:count, :count] @ rest + self._from_state[:count] @ state
        state = self._powers[count] @ state + rest @ self._to_state[_BLOCK - count :]
        return np.concatenate((filtered.ravel(), last)), state


@cache
def _blocks(cutoff: float) -> _Blocks:
    """The same for all streams: 1 ms of work, and 150 kB."""
    return _Blocks(*_state_space(cutoff))


def _state_space(cutoff: float) -> tuple[Matrix, Matrix, Matrix, float]:
    """The matrices of the filter: its second-order sections (Bristow-Johnson's cookbook, high-pass)
    in transposed direct form II, one after the other."""
    a, b, c, d = np.zeros((0, 0)), np.zeros(0), np.zeros(0), 1.0
    angle = 2 * pi * cutoff / SAMPLE_RATE
    for damping in _DAMPING:
        alpha = sin(angle) * damping
        scale = 1 + alpha
        b0 = (1 + cos(angle)) / 2 / scale
        b1, b2, a1, a2 = -2 * b0, b0, -2 * cos(angle) / scale, (1 - alpha) / scale
        section = np.array([[-a1, 1.0], [-a2, 0.0]])
        enter, leave = np.array([b1 - a1 * b0, b2 - a2 * b0]), np.array([1.0, 0.0])
        a = np.block([[a, np.zeros((len(a), 2))], [np.outer(enter, c), section]])
        b, c, d = np.concatenate((b, enter * d)), np.concatenate((b0 * c, leave)), b0 * d
    return a, b, c, d
