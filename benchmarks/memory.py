"""What a long file costs in memory: a WAV sent in fragments, and the daemon's peak over idle.

python -m benchmarks.memory [FOLDER] [--minutes 120]
"""

import argparse
import asyncio
import tempfile
from pathlib import Path
from typing import Any

import psutil

from benchmarks.speech import SAMPLES, ask, clips, minutes_of, write_wav
from tools.daemon import running

_MB = 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description="Peak memory of a long file.")
    parser.add_argument("folder", type=Path, nargs="?", default=SAMPLES)
    parser.add_argument("--minutes", type=float, default=120)
    arguments = parser.parse_args()
    found = clips(arguments.folder)
    with tempfile.TemporaryDirectory() as folder, running() as daemon:
        process = psutil.Process(daemon.process.pid)
        # One short file first: what the libraries keep after their first use is not the file's.
        asyncio.run(ask(daemon.url, found[0].path))
        path = write_wav(Path(folder) / "long.wav", minutes_of(found, arguments.minutes))
        idle = process.memory_info().rss
        peak, children, reply = asyncio.run(watched(daemon.url, path, process))
    print(f"{path.name}: {reply['duration'] / 60:.0f} minutes, {len(reply['text'].split())} words")
    print(f"idle {idle / _MB:.0f} MB, peak {peak / _MB:.0f} MB, more {(peak - idle) / _MB:.0f} MB")
    print(f"ffmpeg and the aligners at their peak {children / _MB:.0f} MB")


async def watched(url: str, path: Path, process: psutil.Process) -> tuple[int, int, dict[str, Any]]:
    """The daemon's peak, its children's peak (bytes), and its reply."""
    asking = asyncio.create_task(ask(url, path))
    peak = children = 0
    while not asking.done():
        peak = max(peak, process.memory_info().rss)
        children = max(children, sum(resident(child) for child in process.children()))
        await asyncio.wait((asking,), timeout=0.05)
    return peak, children, asking.result()


def resident(process: psutil.Process) -> int:
    """Bytes of memory in use; none if it has just ended."""
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


if __name__ == "__main__":
    main()
