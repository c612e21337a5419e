"""How right the times of words are whose sounds are guessed from their letters.

    python -m benchmarks.spelled FOLDER ... [--share 0.3] [--runs 4]

Each FOLDER has a manifest.tsv (file, language, reference). The words of the references are aligned
with the sounds, as the dictionary says them, and then again with a share of them spelled. The
distances of their two times, of starts and ends, are printed: short words are spelled, too, which
in truth are always in the dictionary, so the figures are those of a hard case. `lost` counts clips
whose words did not fit.
"""

import argparse
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.speech import clips
from coqui_server.exceptions import NotAligned
from coqui_server.word_times.sphinx import Sphinx
from coqui_server.word_times.spoken import spoken
from coqui_server.word_times.wire import Span

_FEWEST = 4
"""Words of a clip; fewer have no neighbours that hold them in place."""


@dataclass(frozen=True)
class Aligned:
    """A clip whose words are all in the dictionary, and when they were said."""

    pcm: bytes
    words: list[str]
    spans: list[Span]


class Forgetful(Sphinx):
    """Knows the dictionary, but for some words."""

    def __init__(self, forgotten: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self._forgotten = forgotten

    def _ways(self, word: str) -> list[str]:
        return [] if word in self._forgotten else super()._ways(word)

    def knows(self, words: Sequence[str]) -> bool:
        """Whether all of these are in the dictionary."""
        return all(map(self._ways, words))


def main() -> None:
    arguments = _arguments()
    known = list(_aligned(arguments.folders))
    words = sorted({word for clip in known for word in clip.words})
    print(f"{len(known)} clips, {sum(len(clip.words) for clip in known)} words")
    for seed in range(arguments.runs):
        some = random.Random(seed).sample(words, round(arguments.share * len(words)))
        _row(known, frozenset(some))


def _row(known: Sequence[Aligned], spelled: frozenset[str]) -> None:
    sphinx, errors, lost = Forgetful(spelled), list[float](), 0
    for clip in known:
        try:
            spans = sphinx.align(clip.pcm, clip.words)
        except NotAligned:
            lost += 1
            continue
        for word, here, there in zip(clip.words, spans, clip.spans, strict=True):
            if word in spelled:
                errors += [abs(here[0] - there[0]), abs(here[1] - there[1])]
    middle, most = np.percentile(np.array(errors) * 1000, (50, 95))
    print(
        f"{len(errors) // 2} spelled: median {middle:3.0f} ms, 95 % {most:4.0f} ms, "
        f"mean {1000 * np.mean(errors):4.1f} ms, {lost} lost",
        flush=True,
    )


def _aligned(folders: Sequence[Path]) -> Iterator[Aligned]:
    sphinx = Forgetful()
    for clip in (clip for folder in folders for clip in clips(folder)):
        words = [said for word in clip.text.split() for said in spoken(word)]
        if len(words) < _FEWEST or not sphinx.knows(words):
            continue
        pcm = clip.pcm().tobytes()
        try:
            yield Aligned(pcm, words, sphinx.align(pcm, words))
        except NotAligned:
            continue


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--share", type=float, default=0.3, help="of the words that are spelled")
    parser.add_argument("--runs", type=int, default=4, help="each with other words")
    return parser.parse_args()


if __name__ == "__main__":
    main()
