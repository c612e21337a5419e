"""Resamples sound of any rate to 16 kHz, piece by piece, without seams."""

import numpy as np
import numpy.typing as npt
import soxr

from coqui_server.media.samples import SAMPLE_RATE, Samples

_QUALITY = "HQ"
"""Keeps the whole telephone band (LQ loses 20 % of it), with a delay of some 60 ms, 50 more than
LQ."""


class Resampler:
    """A stream at `rate` hertz to 16 kHz. After `flush` the length is exact to the sample."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._stream = self._new()

    def push(self, pcm: Samples) -> Samples:
        """Take int16 mono samples; give those that are ready."""
        if self._stream is None or not len(pcm):
            return pcm
        return _rounded(self._stream.resample_chunk(pcm.astype(np.float32)))

    def flush(self) -> Samples:
        """Give the rest of the stream; the next samples begin a new one."""
        if self._stream is None:
            return np.empty(0, np.int16)
        rest = self._stream.resample_chunk(np.empty(0, np.float32), last=True)
        self._stream = self._new()
        return _rounded(rest)

    def _new(self) -> "soxr.ResampleStream | None":
        if self.rate == SAMPLE_RATE:
            return None
        # Not int16: soxr dithers it at random, so that two runs would differ.
        return soxr.ResampleStream(self.rate, SAMPLE_RATE, 1, dtype="float32", quality=_QUALITY)


def _rounded(sound: npt.NDArray[np.float32]) -> Samples:
    samples: Samples = np.clip(np.rint(sound), -32768, 32767).astype(np.int16)
    return samples
