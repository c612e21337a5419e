"""Whether one greedy client costs the others anything.

python -m benchmarks.fairness [FOLDER] [--minutes 10] [--streams 4] [--seconds 60]

1. Live streams at real pace alone, then beside a long file that is uploaded as fast as it is taken,
   over and over while they last: what their finals wait for after the gate has closed (`rest` of
   `benchmarks/latency.py`, p50 and p95 in milliseconds), and how fast the file is done with them
   and without (seconds of sound per second).
2. A live client that sends the same long file without pace: TCP slows it down. The daemon's memory
   over idle (MB) tells how much it holds for it.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.latency import delays, together
from benchmarks.live import Told, speak, stream_of
from benchmarks.speech import SAMPLES, ask, clips, minutes_of, write_wav
from coqui_server.media.samples import SAMPLE_RATE, Samples
from tools.daemon import running

_STAGGER = 0.7
_MB = 1e6


def main() -> None:
    arguments = _arguments()
    found = clips(arguments.folder)
    sounds = [stream_of(found, 3 * n, arguments.seconds) for n in range(arguments.streams)]
    long = minutes_of(found, arguments.minutes)
    with tempfile.TemporaryDirectory() as folder, running(arguments.set) as daemon:
        path = write_wav(Path(folder) / "long.wav", long)
        asyncio.run(ask(daemon.url, found[0].path))
        process = psutil.Process(daemon.process.pid)
        live = asyncio.run(together(daemon.url, sounds, _STAGGER))
        finals(f"{arguments.streams} live streams alone", sounds, live)
        alone = asyncio.run(timed(ask(daemon.url, path)))
        speed("the upload alone", long, alone)
        live, beside = asyncio.run(both(daemon.url, sounds, path))
        finals(f"{arguments.streams} live streams beside the upload", sounds, live)
        speed("the upload beside them", long, beside)
        asyncio.run(flat_out(daemon.url, long, process))


async def timed(work: Coroutine[Any, Any, object]) -> float:
    """The seconds it takes."""
    start = time.perf_counter()
    await work
    return time.perf_counter() - start


async def both(url: str, sounds: Sequence[Samples], path: Path) -> tuple[list[Told], float]:
    """Live streams, and uploads of the file for as long as they last; the mean seconds of one."""
    seconds: list[float] = []

    async def uploads() -> None:
        while True:
            seconds.append(await timed(ask(url, path)))

    uploading = asyncio.create_task(uploads())
    told = await together(url, sounds, _STAGGER)
    uploading.cancel()
    with suppress(asyncio.CancelledError):
        await uploading
    if not seconds:
        raise SystemExit("no upload ended while the streams spoke: more --seconds are needed")
    return told, float(np.mean(seconds))


def finals(name: str, sounds: Sequence[Samples], told: Sequence[Told]) -> None:
    """Print how long the finals took after the end of their utterance."""
    pairs = zip(sounds, told, strict=True)
    rests = [one.rest for pair in pairs for one in delays(*pair) if not one.cut]
    p50, p95, worst = np.percentile(rests, (50, 95, 100)) * 1000
    print(f"{name:36} {len(rests):4} finals, {p50:5.0f} {p95:5.0f}, at most {worst:.0f} ms")


def speed(name: str, sound: Samples, seconds: float) -> None:
    """Print how fast the sound was done."""
    print(f"{name:36} {len(sound) / SAMPLE_RATE / seconds:5.1f}x real time", flush=True)


async def flat_out(url: str, sound: Samples, process: psutil.Process) -> None:
    """One live client without pace, and the most memory that the daemon has meanwhile."""
    idle = peak = process.memory_info().rss
    sending = asyncio.create_task(timed(speak(url, sound, paced=False)))
    while not sending.done():
        peak = max(peak, process.memory_info().rss)
        await asyncio.wait((sending,), timeout=0.05)
    speed("a live client that sends flat out", sound, sending.result())
    sent = 2 * len(sound) / _MB
    print(f"  {sent:.0f} MB sent, the daemon grew by {(peak - idle) / _MB:.0f} MB at most")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Live streams beside a greedy client.")
    parser.add_argument("folder", type=Path, nargs="?", default=SAMPLES)
    parser.add_argument("--minutes", type=float, default=10, help="of the long file")
    parser.add_argument("--streams", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=60, help="of each stream")
    parser.add_argument("--set", default="", metavar="HOCON", help="the daemon's configuration")
    return parser.parse_args()


if __name__ == "__main__":
    main()
