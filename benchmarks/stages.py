"""What each stage costs: processor time for a second of sound, with each stage and without it.

    python -m benchmarks.stages FOLDER [--engine moonshine] [--language en] [--set 'HOCON' ...]
                                [--minutes 2] [--runs 5] [--json FILE]

The clips of FOLDER (manifest.tsv) are one file, which is transcribed in this process with all
stages off but the gate and the level, and then with one stage more. So that stages can be seen that
cost less than decodings differ, the engine decodes each utterance once, before, and then answers at
once. What it takes by itself is in the first row, and what terms add to that in the last ones.

Each is measured so many times, in turn, and the run that took least counts, since other work on
the machine can only add to it. `share` is the part of the engine's own time.
"""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from benchmarks.bare import utterances
from benchmarks.live import configured
from benchmarks.phrases import OTHERS, lines
from benchmarks.results import add_json, rows
from benchmarks.speech import clips, minutes_of
from coqui_server.config.settings import Settings
from coqui_server.engines import Engines, load_engine
from coqui_server.engines.base import (
    DEFAULT_OPTIONS,
    Capabilities,
    Engine,
    Hypothesis,
    Options,
    RemoteEngine,
)
from coqui_server.engines.doubt import doubting, second_opinion
from coqui_server.media.raw import RawFormat
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.transcription.files import transcribe
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.service import Service
from coqui_server.transcription.wishes import FileWishes
from coqui_server.word_times.aligner import Aligner

_PIECE = 2**16

_OFF = """
audio { highpass = 0, channels = mix }
vad.speech_per_word = 0
text { format = verbatim, word_times = false }
"""


@dataclass(frozen=True)
class Stage:
    """One stage: the settings that switch it on where it is off, or off where it is on.

    Attributes:
        channels: of the file, all with the same sound.
    """

    name: str
    on: str = ""
    off: str = ""
    channels: int = 1


STAGES = (
    Stage("low cut", on="audio.highpass = 150"),
    Stage("level", off="level.max_gain = 0"),
    Stage("channels, two with one sound", on="audio.channels = auto", channels=2),
    Stage("second opinion", on="vad.speech_per_word = 100 ms"),
    Stage("word times", on="text.word_times = true"),
    Stage("readable", on="text.format = readable"),
    Stage("speakers", on="speakers = auto"),
)


@dataclass
class Remembering:
    """An engine that decodes each utterance once, and then has the answer at once."""

    engine: Engine
    known: dict[bytes, Hypothesis] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.engine.name

    @property
    def model(self) -> str:
        return self.engine.model

    @property
    def capabilities(self) -> Capabilities:
        return self.engine.capabilities

    def open(self, options: Options) -> "_Remembered":
        return _Remembered(self)


@dataclass
class _Remembered:
    owner: Remembering
    pcm: list[Samples] = field(default_factory=list)

    def feed(self, pcm: Samples) -> None:
        self.pcm.append(pcm)

    def partial(self) -> Hypothesis:
        return self.finish()

    def finish(self) -> Hypothesis:
        sound = np.concatenate(self.pcm)
        known = self.owner.known
        key = sound.tobytes()
        if key not in known:
            known[key] = decoded(self.owner.engine, sound, DEFAULT_OPTIONS)
        return known[key]


def decoded(engine: Engine, pcm: Samples, options: Options) -> Hypothesis:
    """What an engine hears in an utterance."""
    recognizer = engine.open(options)
    recognizer.feed(pcm)
    return recognizer.finish()


def main() -> None:
    arguments = _arguments()
    chosen = "\n".join([f"engine = {arguments.engine}", *arguments.settings])
    settings = configured(chosen)
    engine = load_engine(settings)
    assert not isinstance(engine, RemoteEngine)
    sound = minutes_of(clips(arguments.folder, arguments.language), arguments.minutes)
    with rows(arguments.json) as table:

        def row(name: str, seconds: float, whole: float) -> None:
            cost = 1000 * seconds * SAMPLE_RATE / len(sound)
            share = seconds / whole
            table.append({"stage": name, "engine": engine.name, "ms": cost, "share": share})
            print(f"{name:30} {cost:8.2f} ms {share:8.1%}", flush=True)

        print(f"{engine.name} ({engine.model}), {len(sound) / SAMPLE_RATE:.0f} s of sound")
        alone, *with_terms = _decoding(engine, settings, sound, arguments.runs)
        row("engine", alone, alone)
        for name, seconds in asyncio.run(_stages(engine, chosen, sound, arguments.runs)):
            row(name, seconds, alone)
        for count, seconds in zip((100, 1000), with_terms, strict=False):
            row(f"terms, {count}", seconds - alone, alone)


def _decoding(engine: Engine, settings: Settings, sound: Samples, runs: int) -> list[float]:
    """Seconds of the engine alone; if it favours terms, with 0, 100 and 1,000 of them."""
    found, names = utterances(sound, settings), lines(OTHERS)
    counts = (0, 100, 1000) if engine.capabilities.terms else (0,)
    lists = [Options(terms=tuple(names[:count])) for count in counts]
    # The first decoding, and the first with a list, are slower than all later ones.
    for options in lists:
        decoded(engine, found[0], options)

    def all_of(options: Options) -> Callable[[], None]:
        def work() -> None:
            for pcm in found:
                decoded(engine, pcm, options)

        return work

    return _least([all_of(options) for options in lists], runs)


def _least(works: list[Callable[[], None]], runs: int) -> list[float]:
    """The least processor time of each work, all of them in turn."""
    best = [float("inf")] * len(works)
    for _ in range(runs):
        for place, work in enumerate(works):
            start = time.process_time()
            work()
            best[place] = min(best[place], time.process_time() - start)
    return best


async def _stages(
    engine: Engine, chosen: str, sound: Samples, runs: int
) -> list[tuple[str, float]]:
    """The seconds that each stage adds, after those of what is always on."""
    remembering, aligner = Remembering(engine), Aligner()
    pairs = [(_settings(chosen, stage.off), _settings(chosen, stage.on)) for stage in STAGES]
    kinds = {
        (one, stage.channels) for stage, pair in zip(STAGES, pairs, strict=True) for one in pair
    }
    best = dict.fromkeys(sorted(kinds), float("inf"))
    async with _scheduler() as scheduler:
        # The first time, the engine decodes, and models are loaded.
        for run in range(1 + runs):
            for hocon, channels in best:
                spent = await _spent(remembering, aligner, scheduler, hocon, sound, channels)
                if run:
                    best[hocon, channels] = min(best[hocon, channels], spent)
    aligner.close()
    added = [
        (stage.name, best[on, stage.channels] - best[off, stage.channels])
        for stage, (off, on) in zip(STAGES, pairs, strict=True)
    ]
    return [("gate, level and session", best[_settings(chosen, ""), 1]), *added]


def _settings(chosen: str, more: str) -> str:
    return f"{chosen}\n{_OFF}\n{more}"


@asynccontextmanager
async def _scheduler() -> AsyncIterator[Scheduler]:
    scheduler = Scheduler(1)
    try:
        yield scheduler
    finally:
        await scheduler.close()


async def _spent(
    engine: Remembering,
    aligner: Aligner,
    scheduler: Scheduler,
    hocon: str,
    sound: Samples,
    channels: int,
) -> float:
    """The seconds of processor time that a file takes, those of the aligner's processes as well."""
    settings = configured(hocon)
    each = settings.vad.speech_per_word
    engines = Engines(doubting(engine, second_opinion(each), each))
    service = Service(settings, engines, scheduler, aligner=aligner)
    wishes = FileWishes(raw=RawFormat("linear16", SAMPLE_RATE, channels))
    data = np.repeat(sound, channels).tobytes()

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(data), _PIECE):
            yield data[start : start + _PIECE]

    start = time.process_time() + _aligning(aligner)
    await transcribe(service, chunks(), wishes=wishes)
    return time.process_time() + _aligning(aligner) - start


def _aligning(aligner: Aligner) -> float:
    times = [psutil.Process(process).cpu_times() for process in aligner.processes]
    return float(sum(each.user + each.system for each in times))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--engine", default="moonshine")
    parser.add_argument("--language", default="en", help="which clips of the folder")
    parser.add_argument("--set", action="append", default=[], metavar="HOCON", dest="settings")
    parser.add_argument("--minutes", type=float, default=2.0, help="of sound")
    parser.add_argument("--runs", type=int, default=5, help="of which the best counts")
    add_json(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
