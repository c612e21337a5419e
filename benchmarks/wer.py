"""What is heard: word errors, speed and delays of any engine on a folder of clips.

    python -m benchmarks.wer [FOLDER] [--engine moonshine] [--path file,live,pcmu] [--language en]
                             [--set 'HOCON' ...] [--at-once 4] [--texts] [--bare]

FOLDER has a manifest.tsv (file, language, reference). A path is `file`, `live`, or the codec of a
call: pcmu, pcma, g722, opus, l16. Each `--set` adds a row for each path: the daemon with those
settings. Files go one after another, live clips and calls so many at once.

WER is jiwer's over all clips together, after `benchmarks.speech.normal`: lower case, no punctuation
but the apostrophe, hyphens as spaces, digits as they are. `rtf` is the processor time (of all
cores) that the daemon spent for each second of sound, `memory` what it holds at the end. `first`
and `last` are the medians of the delays that `benchmarks.paths.Heard` defines. `--bare` adds the
`moonshine-voice` library with its own segmentation, as it comes, and the ratio of WERs to it.
"""

import argparse
import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil

from benchmarks import paths
from benchmarks.bare import moonshine_voice
from benchmarks.live import configured
from benchmarks.paths import CODECS, DYNAMIC, Heard
from benchmarks.speech import SAMPLES, Clip, clips, errors
from coqui_server.media.samples import SAMPLE_RATE
from tools.daemon import running


@dataclass(frozen=True)
class Run:
    """One row: what was heard of each clip, for how much of what."""

    heard: list[Heard]
    processor: float
    memory: int = 0


def main() -> None:
    arguments = _arguments()
    found = clips(arguments.folder, arguments.language)
    print(f"{len(found)} clips\n\n{'':36} WER    missed  added  wrong    rtf  first   last  memory")
    bare = row("moonshine-voice, bare", found, by_itself(found)) if arguments.bare else None
    for settings in arguments.settings or [""]:
        for name in arguments.path:
            hocon = f"engine = {arguments.engine}\n{DYNAMIC}\n{settings}"
            run = asyncio.run(through_daemon(found, hocon, name, arguments.at_once))
            row(f"{arguments.engine}, {name} {settings}", found, run, bare)
            by_clip(found, run.heard, texts=arguments.texts)


def by_itself(found: Sequence[Clip]) -> Run:
    """What the library hears without us."""
    recognise = moonshine_voice()
    sounds = [clip.pcm() for clip in found]
    start = time.process_time()
    heard = [Heard(recognise(pcm), None, None) for pcm in sounds]
    return Run(heard, time.process_time() - start)


async def through_daemon(found: Sequence[Clip], hocon: str, name: str, at_once: int) -> Run:
    """What a daemon of its own hears of the clips by one path."""
    settings = configured(hocon)
    path = {"file": paths.file, "live": paths.live}.get(name) or paths.call(name)
    room = asyncio.Semaphore(1 if name == "file" else at_once)

    async def hear(clip: Clip) -> Heard:
        async with room:
            return await path(daemon, clip, settings)

    with running(hocon) as daemon:
        process = psutil.Process(daemon.process.pid)
        before = _spent(process)
        heard = await asyncio.gather(*map(hear, found))
        return Run(heard, _spent(process) - before, process.memory_info().rss)


def _spent(process: psutil.Process) -> float:
    """Seconds of processor time, with those of the ffmpegs that have ended."""
    spent = process.cpu_times()
    return float(spent.user + spent.system + spent.children_user + spent.children_system)


def row(name: str, found: Sequence[Clip], run: Run, bare: float | None = None) -> float:
    """Print one line of the table, and give its word error rate."""
    result = errors((clip.text for clip in found), (heard.text for heard in run.heard))
    counts = f"{result.deletions:6} {result.insertions:6} {result.substitutions:6}"
    rtf = run.processor / sum(len(clip.pcm()) / SAMPLE_RATE for clip in found)
    first, last = (
        _median(each.first for each in run.heard),
        _median(each.last for each in run.heard),
    )
    ratio = f"  {result.wer / bare:.2f} of bare" if bare else ""
    memory = f"{run.memory / 1e6:4.0f} MB" if run.memory else ""
    print(
        f"{name:36} {result.wer:6.2%} {counts} {rtf:6.3f} {first} {last} {memory}{ratio}",
        flush=True,
    )
    return result.wer


def _median(seconds: Iterable[float | None]) -> str:
    known = [value for value in seconds if value is not None]
    return f"{median(known):4.2f} s" if known else f"{'-':>6}"


def by_clip(found: Sequence[Clip], heard: Sequence[Heard], *, texts: bool) -> None:
    """Each clip's error rate and delays, and what was misheard if `texts` are arguments."""
    for clip, one in zip(found, heard, strict=True):
        wer = errors([clip.text], [one.text]).wer
        print(
            f"  {clip.path.name:34} {wer:6.1%} {'':27} {_median([one.first])} {_median([one.last])}"
        )
        if wer and texts:
            print(f"    {clip.text}\n    {one.text}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Word errors, speed and delays by each path.")
    parser.add_argument("folder", type=Path, nargs="?", default=SAMPLES)
    parser.add_argument("--engine", default="moonshine")
    parser.add_argument("--path", type=_paths, default=["file"], metavar="NAMES")
    parser.add_argument("--language", default="en", help="which clips of the folder")
    parser.add_argument("--set", action="append", default=[], metavar="HOCON", dest="settings")
    parser.add_argument("--at-once", type=int, default=4, metavar="N")
    parser.add_argument("--texts", action="store_true", help="show what was misheard")
    parser.add_argument("--bare", action="store_true", help="the library by itself, too")
    return parser.parse_args()


def _paths(text: str) -> list[str]:
    known = ("file", "live", *CODECS)
    names = text.split(",")
    if unknown := set(names) - set(known):
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}; there are {', '.join(known)}")
    return names


if __name__ == "__main__":
    main()
