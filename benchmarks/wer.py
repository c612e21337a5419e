"""Word errors of the daemon on a folder of clips, beside the bare engine on the same clips.

    python -m benchmarks.wer FOLDER [--clips] [--set 'HOCON' ...]

Each `--set` adds a row: the daemon with those settings. The bare engine is the `moonshine-voice`
library with its own segmentation, as it comes.
"""

import argparse
import asyncio
from pathlib import Path

import jiwer

from benchmarks.bare import moonshine_voice
from benchmarks.speech import SAMPLES, Clip, ask, clips, errors
from tools.daemon import running


def main() -> None:
    parser = argparse.ArgumentParser(description="Word error rates, daemon against bare engine.")
    parser.add_argument("folder", type=Path, nargs="?", default=SAMPLES)
    parser.add_argument("--clips", action="store_true", help="show each clip")
    parser.add_argument("--set", action="append", default=[], metavar="HOCON", dest="settings")
    wanted = parser.parse_args()
    found = clips(wanted.folder)
    bare = moonshine_voice()
    print(f"{len(found)} clips\n\n{'':44}  WER     missed  added  wrong  to bare")
    baseline = row("moonshine-voice, bare", found, [bare(clip.pcm()) for clip in found], None)
    for settings in ("", *wanted.settings):
        heard = asyncio.run(through_daemon(found, settings))
        row(settings or "daemon, as configured by default", found, heard, baseline)
        if wanted.clips:
            show(found, heard)


async def through_daemon(found: list[Clip], settings: str) -> list[str]:
    """The daemon's text for each clip."""
    with running(settings) as daemon:
        return [(await ask(daemon.url, clip.path))["text"] for clip in found]


def row(name: str, found: list[Clip], heard: list[str], baseline: float | None) -> float:
    """Print one line of the table, and give its word error rate."""
    result: jiwer.WordOutput = errors((clip.text for clip in found), heard)
    ratio = f"{result.wer / baseline:7.2f}" if baseline else ""
    counts = f"{result.deletions:6} {result.insertions:6} {result.substitutions:6}"
    print(f"{name:44} {result.wer:6.2%}  {counts}  {ratio}", flush=True)
    return result.wer


def show(found: list[Clip], heard: list[str]) -> None:
    """Each clip's error rate, with what was said and heard where they differ."""
    for clip, text in zip(found, heard, strict=True):
        wer = errors([clip.text], [text]).wer
        print(f"  {clip.path.name:32} {wer:6.1%}")
        if wer:
            print(f"    {clip.text}\n    {text}")


if __name__ == "__main__":
    main()
