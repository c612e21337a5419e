"""How fast files are done: one long file on all cores, and many short ones at once.

    python -m benchmarks.throughput [FOLDER] [--engine moonshine|vosk] [--model FOLDER]
                                    [--language en] [--minutes 10] [--files 50] [--json FILE]

Every figure is seconds of sound per second, and its ratio to the bare recognizer, which does the
same utterances one by one on one thread, in the same run.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from benchmarks.bare import Recognise, engine, moonshine_voice, utterances
from benchmarks.results import Rows, add_json, rows
from benchmarks.speech import SAMPLES, Clip, ask, clips, minutes_of, write_wav
from coqui_server.config.engines import VoskSettings
from coqui_server.config.settings import Settings
from coqui_server.media.samples import SAMPLE_RATE, Samples
from tools.daemon import running


def main() -> None:
    arguments = _arguments()
    found = clips(arguments.folder, arguments.language)
    settings = Settings(engine=arguments.engine, vosk=VoskSettings(model=arguments.model or "none"))
    configuration = f'engine = {arguments.engine}\nvosk.model = "{settings.vosk.model}"'
    sound = minutes_of(found, arguments.minutes)
    speech = utterances(sound, settings)
    seconds = len(sound) / SAMPLE_RATE
    print(f"{seconds:.0f} s of sound in {len(speech)} utterances, engine {arguments.engine}")
    with rows(arguments.json) as table:
        report = Report(table)
        bare = report.timed(
            "bare recognizer, one thread", seconds, one_by_one(engine(settings), speech)
        )
        if arguments.engine == "moonshine":
            library = one_by_one(moonshine_voice(), speech)
            report.timed("moonshine-voice library", seconds, library, bare)
        with tempfile.TemporaryDirectory() as folder, running(configuration) as daemon:
            path = write_wav(Path(folder) / "long.wav", sound)
            one_file = partial(asyncio.run, together(daemon.url, [path]))
            report.timed("daemon, one file", seconds, one_file, bare)
            many(report, daemon.url, found, arguments.files)


def many(report: "Report", url: str, found: list[Clip], files: int) -> None:
    """Short files one after another, then the same ones all at once."""
    paths = [found[n % len(found)].path for n in range(files)]
    seconds = sum(len(found[n % len(found)].pcm()) for n in range(files)) / SAMPLE_RATE

    async def in_turn() -> None:
        for path in paths:
            await ask(url, path)

    turns = report.timed(f"{files} files in turn", seconds, partial(asyncio.run, in_turn()))
    at_once = partial(asyncio.run, together(url, paths))
    report.timed(f"{files} files at once", seconds, at_once, turns)


async def together(url: str, paths: Sequence[Path]) -> None:
    """Ask for all files at the same time."""
    await asyncio.gather(*(ask(url, path) for path in paths))


def one_by_one(recognise: Recognise, speech: list[Samples]) -> Callable[[], object]:
    """The utterances in turn, on the calling thread."""
    return lambda: [recognise(pcm) for pcm in speech]


class Report:
    """Times work, prints a line for each, and adds it to the table."""

    def __init__(self, table: Rows) -> None:
        self._table = table

    def timed(
        self,
        name: str,
        seconds: float,
        work: Callable[[], object],
        yardstick: float | None = None,
    ) -> float:
        """Time `work` on so many seconds of sound; its speed, with the ratio to the yardstick's."""
        start = time.perf_counter()
        work()
        speed = seconds / (time.perf_counter() - start)
        ratio = speed / yardstick if yardstick else None
        print(
            f"{name:32} {speed:8.1f}x real time {'' if ratio is None else f'{ratio:8.2f}'}",
            flush=True,
        )
        self._table.append({"name": name, "speed": speed, "ratio": ratio})
        return speed


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Speed of whole files.")
    parser.add_argument("folder", type=Path, nargs="?", default=SAMPLES)
    parser.add_argument("--engine", default="moonshine", choices=("moonshine", "vosk"))
    parser.add_argument("--model", help="the Vosk model's folder")
    parser.add_argument("--language", default="en", help="which clips of the folder")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--files", type=int, default=50)
    add_json(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
