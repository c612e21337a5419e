"""Finds voices in sound: a segmentation tells when who speaks, an embedding what they sound like.

Both are pyannote's. The segmentation hears 10 s and knows up to three people in it, also when they
speak at once; it does not know them again in the next 10 s. For that, the embedding makes a print
of each (WeSpeaker's ResNet34, trained on VoxCeleb).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import ceil

import numpy as np
import numpy.typing as npt

from coqui_server import onnx
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.speakers import packaged
from coqui_server.speakers.features import HOP, filter_bank
from coqui_server.speakers.voices import Voice

Activity = npt.NDArray[np.bool_]
"""A row for each frame of the segmentation, a column for each of its speakers."""

WINDOW = 10.0
"""Seconds that the segmentation hears at a time."""

_STEP, _FIRST = 0.016875, 0.03096875
"""Seconds between two of its frames, and the middle of the first one."""

_EDGE = _FIRST - _STEP / 2
"""Seconds at which the first of them begins."""

_ENOUGH = 0.5
"""Seconds of speech alone that make a print; with less, speech with others is used too."""

_PIECE = 2.0
"""Seconds of the pieces that long speech is cut into."""

_LEAST = 0.1
"""Seconds of speech that are too short to be anybody's."""


@cache
def loaded() -> "SpeakerModel":
    """The models, which are loaded once, in half a second.

    Raises:
        ConfigError: they are not there.
    """
    return SpeakerModel()


class SpeakerModel:
    """The two models. Many threads may use them at the same time."""

    def __init__(self) -> None:
        models = packaged.read(packaged.SEGMENTATION, packaged.EMBEDDING)
        self._segmentation, self._embedding = map(onnx.session, models)

    def voices(self, pcm: Samples) -> list[Voice]:
        """The voices in 16 kHz mono samples, in order; times count from the first. Blocks."""
        voices: list[Voice] = []
        for number, (start, first, last) in enumerate(_windows(len(pcm))):
            sound = pcm[start : start + round(WINDOW * SAMPLE_RATE)]
            voices += self._in_window(sound, number, start, first, last)
        return sorted(voices, key=lambda voice: voice.start)

    def _in_window(
        self, sound: Samples, number: int, start: int, first: float, last: float
    ) -> Iterator[Voice]:
        """The voices of a window that begins at sample `start`; only seconds `first` to `last` of
        the whole are its own."""
        energies = filter_bank(sound)
        activity = self._segmented(sound)
        offset = start / SAMPLE_RATE
        pieces = list(_pieces(activity))
        if not len(energies) or not pieces:
            return
        weights = _weights(activity, pieces, len(energies))
        # One pass of the network, pooled once for each piece.
        feeds = {"fbank": energies[None], "weights": weights}
        prints = self._embedding.run(None, feeds)[0]
        for piece, vector in zip(pieces, prints, strict=True):
            begin, end = (max(first, piece.start + offset), min(last, piece.end + offset))
            if begin < end:
                print = vector / np.linalg.norm(vector)
                yield Voice(begin, end, print, piece.alone, number, piece.speaker)

    def _segmented(self, sound: Samples) -> Activity:
        whole = np.zeros(round(WINDOW * SAMPLE_RATE), np.float32)
        whole[: len(sound)] = sound / np.float32(32768)
        scores = self._segmentation.run(None, {"waveforms": whole[None, None]})[0][0]
        frames = ceil(len(sound) / SAMPLE_RATE / _STEP)
        active: Activity = scores[:frames] > 0.5
        return active


def _windows(samples: int) -> Iterator[tuple[int, float, float]]:
    """Windows that cover so many samples evenly: the first sample, and the seconds of the whole
    that are the window's own, up to the middle of what it shares with the next."""
    size = round(WINDOW * SAMPLE_RATE)
    count = max(1, ceil(samples / size))
    starts = np.linspace(0, max(0, samples - size), count).astype(int).tolist()
    edges = [(start + size + later) / 2 / SAMPLE_RATE for start, later in pairwise(starts)]
    yield from zip(starts, [0.0, *edges], [*edges, float("inf")], strict=True)


@dataclass(frozen=True)
class _Piece:
    """Speech of one speaker of a window, in frames of the segmentation.

    Attributes:
        alone: seconds in which nobody else speaks.
    """

    speaker: int
    first: int
    last: int
    alone: float

    @property
    def start(self) -> float:
        return self.first * _STEP + _EDGE

    @property
    def end(self) -> float:
        return self.last * _STEP + _EDGE


def _pieces(activity: Activity) -> Iterator[_Piece]:
    """What is said without a pause, cut where it is long."""
    alone = activity.sum(axis=1) == 1
    for speaker, active in enumerate(activity.T):
        edges = np.flatnonzero(np.diff(active, prepend=False, append=False))
        for begin, end in edges.reshape(-1, 2).tolist():
            if (end - begin) * _STEP < _LEAST:
                continue
            count = max(1, round((end - begin) * _STEP / _PIECE))
            cuts = np.linspace(begin, end, count + 1).astype(int).tolist()
            for first, last in pairwise(cuts):
                yield _Piece(speaker, first, last, float(alone[first:last].sum()) * _STEP)


def _weights(activity: Activity, pieces: Sequence[_Piece], frames: int) -> npt.NDArray[np.float32]:
    """For each piece, which frames of the filter bank make its print."""
    moments = (np.arange(frames) * HOP / SAMPLE_RATE + 0.0125 - _FIRST) / _STEP
    places = np.clip(np.rint(moments).astype(int), 0, len(activity) - 1)
    alone = activity.sum(axis=1)[places] == 1
    weights = np.zeros((len(pieces), frames), np.float32)
    for row, piece in zip(weights, pieces, strict=True):
        inside = (places >= piece.first) & (places < piece.last)
        row[:] = inside & alone if piece.alone >= _ENOUGH else inside
    return weights
