"""How long live streams wait for their words.

    python -m benchmarks.latency [FOLDER] [--engine moonshine|vosk] [--set HOCON] [--language en]
                                 [--streams 1,4,8] [--seconds 90] [--stagger 0.7] [--bare 40]
                                 [--json FILE]

Each row is a number of streams that speak at the same time, each at its real pace, to a daemon in
a process of its own. Milliseconds, p50 and p95:

final   from the last sound before an utterance's end to the arrival of its final. It has two
        parts: `tail`, up to the utterance's end, since webrtcvad calls silence voiced for a while;
        and `rest`: the silence that has to pass before the gate believes the end, the message being
        filled up, queues, decoding, the way back.
bare    what the bare engine takes for the same utterances, alone on one thread, before the streams.
word    from the end of a word to the first partial or final that has it, in its place. With an
        engine that gives word times they are taken; otherwise an utterance's letters are spread
        evenly over its frames with sound in them (0.2 s off in the median, and 0.1 s late, against
        a forced alignment of 17 clips).

Utterances that were cut for their length have no end of speech and count for `word` only.
"""

import argparse
import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bare import Recognise, engine
from benchmarks.live import (
    Times,
    Told,
    Utterance,
    configured,
    counts,
    sounding,
    speak,
    stream_of,
    utterances,
)
from benchmarks.results import Rows, add_json, rows
from benchmarks.speech import SAMPLES, clips, normal
from coqui_server.media.samples import SAMPLE_RATE, Samples
from tools.daemon import running

_CUT = 17.0
"""Seconds. A longer utterance was cut for its length (`vad.max_utterance`), not at an end of
speech."""


@dataclass(frozen=True)
class Delay:
    """One utterance's delays in seconds; `words` has one for each of its words. `at` is when its
    final came, in seconds from the stream's start."""

    tail: float
    rest: float
    words: tuple[float, ...]
    cut: bool
    at: float

    @property
    def final(self) -> float:
        return self.tail + self.rest


def main() -> None:
    arguments = _arguments()
    found = clips(arguments.folder, arguments.language)
    hocon = f"engine = {arguments.engine}\n{arguments.set}"
    settings = configured(hocon)
    recognise = engine(settings)
    print("streams refused finals" + "".join(map(_head, _COLUMNS)), flush=True)
    with rows(arguments.json) as table:
        for count in arguments.streams:
            sounds = [stream_of(found, 3 * n, arguments.seconds) for n in range(count)]
            plan = [said for sound in sounds for said in utterances(sound, settings)]
            bare = alone(recognise, plan, arguments.bare)
            with running(hocon) as daemon:
                told = asyncio.run(together(daemon.url, sounds, arguments.stagger))
            report(sounds, told, bare, table)


def alone(recognise: Recognise, said: Sequence[Utterance], most: int) -> list[float]:
    """The seconds the bare engine takes, for at most so many of the utterances."""
    seconds = []
    for one in said[:: max(1, len(said) // most)]:
        start = time.perf_counter()
        recognise(one.pcm)
        seconds.append(time.perf_counter() - start)
    return seconds


async def together(url: str, sounds: Sequence[Samples], stagger: float) -> list[Told]:
    """What each stream was told; they start so many seconds after each other."""
    streams = (speak(url, sound, at=n * stagger) for n, sound in enumerate(sounds))
    return list(await asyncio.gather(*streams))


def delays(sound: Samples, told: Told) -> Iterator[Delay]:
    """The delays of the finals that came for this sound."""
    texts = [(at, message) for at, message in told.messages if message["event"] == "transcript"]
    for at, final in texts:
        if final["is_final"]:
            start, end = final["start"], final["end"]
            heard = start + sounding(sound[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)])
            about = [(when, text) for when, text in texts if text["start"] == start]
            words = tuple(_words(heard, final, about))
            yield Delay(end - heard[-1], at - end, words, end - start >= _CUT, at)


def _words(
    heard: Times, final: dict[str, Any], about: Sequence[tuple[float, dict[str, Any]]]
) -> Iterator[float]:
    """How long after its end each word of the final was first seen."""
    spoken = normal(final["text"]).split()
    ends = [word["end"] for word in final.get("words", ())] or spread(heard, spoken)
    for place, end in enumerate(ends[: len(spoken)]):
        yield next(at for at, message in about if _shows(message, spoken, place)) - end


def spread(heard: Times, words: Sequence[str]) -> list[float]:
    """The words' ends, with their letters spread evenly over the frames with sound."""
    letters = np.cumsum([len(word) + 1 for word in words])
    return list(heard[np.ceil(letters / letters[-1] * len(heard)).astype(int) - 1])


def _shows(message: dict[str, Any], spoken: list[str], place: int) -> bool:
    shown = normal(message["text"]).split()
    matches = SequenceMatcher(None, spoken, shown, autojunk=False).get_matching_blocks()
    return any(match.a <= place < match.a + match.size for match in matches)


_COLUMNS = ("final", "tail", "rest", "bare", "word")


def _head(name: str) -> str:
    return f"{name + ' p50':>10}   p95"


def report(
    sounds: Sequence[Samples], told: Sequence[Told], bare: Sequence[float], table: Rows
) -> None:
    """Print a row, and below it what the rest of the table depends on; add it to the table."""
    heard = [delay for pair in zip(sounds, told, strict=True) for delay in delays(*pair)]
    ended = [delay for delay in heard if not delay.cut]
    values: list[Sequence[float]] = [
        [delay.final for delay in ended],
        [delay.tail for delay in ended],
        [delay.rest for delay in ended],
        bare,
        [word for delay in heard for word in delay.words],
    ]
    refused = [one for one in told if one.refused]
    numbers = f"{len(told):7} {len(refused):7} {len(heard):6}"
    print(numbers + "".join(map(_figures, values)), flush=True)
    figures = {name: _percentiles(of) for name, of in zip(_COLUMNS, values, strict=True)}
    table.append({"streams": len(told), "refused": len(refused), **figures})
    if refused:
        print(f"  refused: {refused[0].refused}")
    if (late := max(one.late for one in told)) > 0.02:
        print(f"  this process sent up to {late * 1000:.0f} ms late, which counts as `rest`")


def _figures(seconds: Sequence[float]) -> str:
    if not seconds:
        return f"{'-':>10}     -"
    p50, p95 = _percentiles(seconds)
    return f"{p50 * 1000:10.0f} {p95 * 1000:5.0f}"


def _percentiles(seconds: Sequence[float]) -> list[float]:
    """p50 and p95; nothing of nothing."""
    return [round(float(of), 4) for of in np.percentile(seconds, (50, 95))] if seconds else []


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Delays of live streams.")
    parser.add_argument("folder", type=Path, nargs="?", default=SAMPLES)
    parser.add_argument("--engine", default="moonshine", choices=("moonshine", "vosk"))
    parser.add_argument("--set", default="", metavar="HOCON", help="the daemon's configuration")
    parser.add_argument("--language", default="en", help="which clips of the folder")
    parser.add_argument("--streams", type=counts, default=[1, 4, 8])
    parser.add_argument("--seconds", type=float, default=90, help="of each stream")
    parser.add_argument("--stagger", type=float, default=0.7, help="seconds between their starts")
    parser.add_argument("--bare", type=int, default=40, help="utterances for the bare engine")
    add_json(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
