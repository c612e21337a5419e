"""How right the times of words are, and what finding them costs.

    python -m benchmarks.word_times FOLDER [--engine moonshine] [--against whisper]
                                    [--set 'HOCON']

FOLDER has sounds (.wav, .flac, .mp3), each with a .txt of its words beside it: the labels of
Audacity, a line of start and end in seconds and the word, with tabs between. They were marked by
hand, or by a forced aligner of another make. With `--against`, the words of another engine are what
the times are compared with, on the clips of a manifest.tsv.

A daemon transcribes each sound as a file. Words that both have, in the order of speech, are
compared: an error is the distance of two starts, or of two ends. `cost` is the time to align the
utterances of all sounds, divided by the time that the engine takes to decode them, on one thread.
"""

import argparse
import asyncio
import time
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.live import configured
from benchmarks.speech import Clip, ask, clips, normal
from coqui_server.engines import load_engine
from coqui_server.engines.base import DEFAULT_OPTIONS, RemoteEngine
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.word_times.aligner import Aligner
from coqui_transcript.mapping import transcript_from_json
from coqui_transcript.transcript import Segment, Word
from tools.daemon import running

_SOUNDS = (".wav", ".flac", ".mp3", ".ogg")


def main() -> None:
    arguments = _arguments()
    if arguments.against:
        found = clips(arguments.folder)
        truth = [
            _words(each)
            for each in asyncio.run(_heard(found, arguments.against, arguments.settings))
        ]
    else:
        found = list(_labelled(arguments.folder))
        truth = [_labels(clip.path.with_suffix(".txt")) for clip in found]
    heard = asyncio.run(_heard(found, arguments.engine, arguments.settings))
    pairs = [
        pair for one, other in zip(heard, truth, strict=True) for pair in _same(_words(one), other)
    ]
    print(f"{len(found)} sounds, {sum(map(len, truth))} words, {len(pairs)} of them in both\n")
    _row("starts", [word.start - right.start for word, right in pairs])
    _row("ends", [word.end - right.end for word, right in pairs])
    print(f"\ncost: {_cost(found, heard, arguments.engine, arguments.settings):.0%} of decoding")


async def _heard(found: Sequence[Clip], engine: str, settings: str) -> list[tuple[Segment, ...]]:
    """The segments that a daemon of its own hears in each clip."""
    with running(f"engine = {engine}\ntext.format = verbatim\n{settings}") as daemon:
        replies: list[dict[str, Any]] = [await ask(daemon.url, clip.path) for clip in found]
    return [transcript_from_json(reply).segments for reply in replies]


def _labelled(folder: Path) -> Iterator[Clip]:
    for path in sorted(folder.iterdir()):
        if path.suffix in _SOUNDS and path.with_suffix(".txt").exists():
            yield Clip(path, "")


def _labels(path: Path) -> list[Word]:
    lines = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())
    return [Word(word, float(start), float(end)) for start, end, word in lines]


def _words(segments: Sequence[Segment]) -> list[Word]:
    return [word for segment in segments for word in segment.words]


def _same(words: Sequence[Word], truth: Sequence[Word]) -> Iterator[tuple[Word, Word]]:
    """The words that are in both, each with its other."""
    one, other = ([normal(word.text) for word in each] for each in (words, truth))
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    for first, second, size in matcher.get_matching_blocks():
        yield from zip(words[first : first + size], truth[second : second + size], strict=True)


def _row(name: str, errors: Sequence[float]) -> None:
    late = np.array(errors) * 1000
    middle, most = np.percentile(np.abs(late), (50, 95))
    print(
        f"{name:8} median {middle:4.0f} ms   95 % {most:4.0f} ms   bias {np.median(late):+4.0f} ms"
    )


def _cost(
    found: Sequence[Clip], heard: Sequence[Sequence[Segment]], name: str, settings: str
) -> float:
    """Seconds of aligning for each second of decoding; 0 for an engine that gives words."""
    engine, aligner = load_engine(configured(f"engine = {name}\n{settings}")), Aligner()
    assert not isinstance(engine, RemoteEngine)
    decoding = aligning = 0.0
    utterances = list(_utterances(found, heard))
    # The first time starts the process.
    aligner.words(*utterances[0][::-1])
    for pcm, text in utterances:
        start = time.perf_counter()
        recognizer = engine.open(DEFAULT_OPTIONS)
        recognizer.feed(pcm)
        result = recognizer.finish()
        middle = time.perf_counter()
        if not result.words:
            aligner.words(text, pcm)
        decoding += middle - start
        aligning += time.perf_counter() - middle
    aligner.close()
    return aligning / decoding


def _utterances(
    found: Sequence[Clip], heard: Sequence[Sequence[Segment]]
) -> Iterator[tuple[Samples, str]]:
    for clip, segments in zip(found, heard, strict=True):
        pcm = clip.pcm()
        for segment in segments:
            first, last = (round(at * SAMPLE_RATE) for at in (segment.start, segment.end))
            yield pcm[first:last], segment.text


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--engine", default="moonshine")
    parser.add_argument("--against", help="an engine whose words are compared with")
    parser.add_argument("--set", dest="settings", default="", help="more of application.conf")
    return parser.parse_args()


if __name__ == "__main__":
    main()
