"""Live clients, files and calls, more and more of them, past what the server can do, and the time
after that.

    python -m benchmarks.load [FOLDER] [--live 40] [--calls 10] [--files 2] [--every 2]
                              [--calm 30] [--set HOCON] [--json FILE] [--chart FILE.svg]

One more live client comes every `--every` seconds, up to `--live`. Calls and senders of files come
between them. When all have come, they go on for as long as `--calm` says; then all but one live
client leave, and that one goes on for as long again. Second by second, the table has what the
server says of itself, and the delays of the finals that came: from the end of the last sound of an
utterance to its final, p50, p95 and p99. The last lines say how many of the finals of admitted
clients came within a second, and how delays and memory were before and after the storm.
"""

import argparse
import asyncio
import json
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.callers import Callers, speech
from benchmarks.chart import draw
from benchmarks.latency import delays
from benchmarks.live import Told, speak, stream_of
from benchmarks.results import Rows, add_json, rows
from benchmarks.speech import SAMPLES, Clip, ask, clips, minutes_of, write_wav
from coqui_server.media.samples import Samples
from tools.daemon import Daemon, running

GOAL = 1.0
"""Seconds in which a final has to come."""

_EDGE = 10.0
"""Seconds at the beginning that the end is compared with."""


@dataclass
class Storm:
    """What clients were told. Times are seconds since `start`.

    Attributes:
        finals: when each came, and its delay.
        refused: live clients that were not let in.
    """

    start: float = field(default_factory=time.perf_counter)
    finals: list[tuple[float, float]] = field(default_factory=list)
    refused: int = 0

    @property
    def now(self) -> float:
        return time.perf_counter() - self.start

    def heard(self, sound: Samples, told: Told, began: float) -> None:
        """Note the delays of one stream."""
        if told.refused:
            self.refused += 1
        for one in delays(sound, told):
            if not one.cut:
                self.finals.append((began + one.at, one.final))


async def rage(
    daemon: Daemon, found: Sequence[Clip], arguments: argparse.Namespace, table: Rows
) -> Storm:
    """Let all come and leave again, and note a row every second."""
    climb = arguments.live * arguments.every
    streams = _streams(found, arguments)
    storm = Storm()
    watching = asyncio.create_task(_watch(daemon, storm, table))

    async def client(number: int) -> None:
        sound = streams[number]
        began = number * arguments.every
        told = await speak(daemon.url, sound, at=max(0.0, began - storm.now))
        storm.heard(sound, told, began)

    long = minutes_of(list(found), 1.0)
    with tempfile.TemporaryDirectory() as folder, _calls(daemon, arguments, climb):
        path = write_wav(Path(folder) / "long.wav", long)
        senders = [
            asyncio.create_task(_send_files(daemon, path, (n + 1) * climb / (arguments.files + 1)))
            for n in range(arguments.files)
        ]
        live = asyncio.gather(*(client(number) for number in range(arguments.live)))
        await asyncio.sleep(climb + arguments.calm)
        for sender in senders:
            sender.cancel()
        await live
    watching.cancel()
    await asyncio.gather(watching, *senders, return_exceptions=True)
    return storm


def _streams(found: Sequence[Clip], arguments: argparse.Namespace) -> list[Samples]:
    """What each client says. The first one stays the longest."""
    top = arguments.live * arguments.every + arguments.calm
    stays = [top - number * arguments.every for number in range(arguments.live)]
    stays[0] += arguments.calm
    return [stream_of(found, 3 * number, seconds) for number, seconds in enumerate(stays)]


async def _send_files(daemon: Daemon, path: Path, at: float) -> None:
    """One file after another, from `at` seconds on."""
    await asyncio.sleep(at)
    while True:
        await ask(daemon.url, path)


@contextmanager
def _calls(daemon: Daemon, arguments: argparse.Namespace, climb: float) -> Iterator[None]:
    """Calls that begin one after another while the live clients come, and last for the calm."""
    if not arguments.calls:
        yield
        return
    port = int(daemon.rtp.rpartition(":")[2])
    with Callers(arguments.calls, port, speech()) as callers:

        def send() -> None:
            callers.begin(climb)
            callers.run(arguments.calm)

        sending = threading.Thread(target=send)
        sending.start()
        yield
        sending.join()


async def _watch(daemon: Daemon, storm: Storm, table: Rows) -> None:
    """A row each second: what the server says of itself, and its memory."""
    process = psutil.Process(daemon.process.pid)
    while True:
        with suppress(OSError):
            health = await asyncio.to_thread(_health, daemon.console)
            table.append(
                {
                    "second": round(storm.now, 1),
                    **health["sessions"],
                    "refused": storm.refused,
                    "overloaded": health["decoders"]["overloaded"],
                    "memory_mb": round(process.memory_info().rss / 1e6),
                }
            )
        await asyncio.sleep(1.0)


def _health(console: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{console}/health", timeout=10) as answer:
        health: dict[str, Any] = json.load(answer)
    return health


def add_delays(storm: Storm, table: Rows) -> None:
    """Put the delays of the finals of each second into its row, None where none came."""
    for row, following in zip(table, [*table[1:], {"second": float("inf")}], strict=True):
        came = [d for at, d in storm.finals if row["second"] <= at < following["second"]]
        values = np.percentile(came, (50, 95, 99)) if came else (None, None, None)
        for name, value in zip(("p50", "p95", "p99"), values, strict=True):
            row[name] = None if value is None else round(float(value), 3)


def report(storm: Storm, table: Rows) -> None:
    """Print the table, and what it comes to."""
    print("second  live  files  calls  refused  p50 ms   p95   p99  memory MB")
    for row in table:
        figures = "".join(
            f"{'-' if row[name] is None else round(row[name] * 1000):>6}" for name in _PERCENTILES
        )
        print(
            f"{row['second']:6.0f} {row['live']:5} {row['file']:6} {row['rtp']:6}"
            f" {row['refused']:8}  {figures} {row['memory_mb']:10}"
        )
    late = sum(delay > GOAL for _, delay in storm.finals)
    print(f"{len(storm.finals)} finals of admitted clients, {late} later than {GOAL:g} s")
    end = table[-1]["second"]
    busy = [row["second"] for row in table if row["live"] > 1 or row["rtp"] or row["file"]]
    for name, first, last in (("before", 0.0, _EDGE), ("after", busy[-1] + 1.0, end)):
        known = [delay for at, delay in storm.finals if first <= at < last]
        memory = [row["memory_mb"] for row in table if first <= row["second"] <= last]
        p50 = f"{np.percentile(known, 50) * 1000:.0f} ms" if known else "no final"
        print(f"{name:7} p50 {p50}, memory {max(memory)} MB")


_PERCENTILES = ("p50", "p95", "p99")


def main() -> None:
    arguments = _arguments()
    found = clips(arguments.folder)
    with rows(arguments.json) as table, running(arguments.set) as daemon:
        storm = asyncio.run(rage(daemon, found, arguments, table))
        add_delays(storm, table)
        report(storm, table)
        if arguments.chart:
            draw(table, arguments.chart)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="All kinds of clients, past capacity.")
    parser.add_argument("folder", type=Path, nargs="?", default=SAMPLES)
    parser.add_argument("--live", type=int, default=40)
    parser.add_argument("--calls", type=int, default=10)
    parser.add_argument("--files", type=int, default=2, help="senders of files, in turn")
    parser.add_argument("--every", type=float, default=2, help="seconds between live clients")
    parser.add_argument("--calm", type=float, default=30, help="seconds at the top, and after")
    parser.add_argument("--set", default="", metavar="HOCON", help="the server's configuration")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="draw it (SVG or PNG)")
    add_json(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
