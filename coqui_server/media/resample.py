"""Sound of any rate to 16 kHz, piece by piece, without a seam between the pieces."""

import numpy as np
import numpy.typing as npt
import soxr

from coqui_server.media.samples import SAMPLE_RATE, Samples

_QUALITY = "HQ"
"""Keeps all of a telephone's band (LQ takes 20 % off it) and holds some 60 ms back, 50 more."""


class Resampler:
    """A stream at `rate` hertz to one at 16 kHz; as long, to the sample, once flushed."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._stream = self._new()

    def push(self, pcm: Samples) -> Samples:
        """Take int16 mono samples; give what can be given by now."""
        if self._stream is None or not len(pcm):
            return pcm
        return _rounded(self._stream.resample_chunk(pcm.astype(np.float32)))

    def flush(self) -> Samples:
        """The rest of what was pushed; what is pushed next is a new stream."""
        if self._stream is None:
            return np.empty(0, np.int16)
        rest = self._stream.resample_chunk(np.empty(0, np.float32), last=True)
        self._stream = self._new()
        return _rounded(rest)

    def _new(self) -> "soxr.ResampleStream | None":
        if self.rate == SAMPLE_RATE:
            return None
        # Not int16: that soxr dithers, so that no two runs are the same.
        return soxr.ResampleStream(self.rate, SAMPLE_RATE, 1, dtype="float32", quality=_QUALITY)


def _rounded(sound: npt.NDArray[np.float32]) -> Samples:
    samples: Samples = np.clip(np.rint(sound), -32768, 32767).astype(np.int16)
    return samples
