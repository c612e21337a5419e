"""Two servers side by side against one: how fast the same files are done, and what sharing costs.

    python -m benchmarks.replicas [FOLDER] [--files 20] [--rounds 3] [--json FILE]

Each server has one core and one decoder thread. Three ways take turns in one run: a server alone
with SQLite; one that shares PostgreSQL and Redis; and two that do. Their files are sent to all at
once. Printed are the speed, its ratio to the first, and the seconds of processor that the servers
use for each minute of sound. PostgreSQL, Redis and the senders run on the same machine: on one with
two cores, two servers leave nothing for these.
"""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter

import psutil

from benchmarks.results import add_json, cpu_seconds, rows
from benchmarks.speech import SAMPLES, Clip, ask, clips
from coqui_server.media.samples import SAMPLE_RATE
from tools import daemon, postgresql, redis

_EACH = (
    "server { threadpool.count = 1, connections = 2000, max_sessions = 1000 }\nrtp.enabled = false"
)


def main() -> None:
    arguments = _arguments()
    found = clips(arguments.folder)
    files = [found[number % len(found)] for number in range(arguments.files)]
    seconds = sum(len(clip.pcm()) for clip in files) / SAMPLE_RATE
    with ExitStack() as stack:
        database = stack.enter_context(postgresql.running()).create()
        shared = stack.enter_context(redis.running())
        cluster = f'store.url = "{database}"\ncluster.redis = "{shared.url}"'
        alone = stack.enter_context(_on_core(0, _EACH))
        one, two = (stack.enter_context(_on_core(n, f"{_EACH}\n{cluster}")) for n in range(2))
        ways = {
            "one server, SQLite": [alone],
            "one server, PostgreSQL and Redis": [one],
            "two servers": [one, two],
        }
        speeds: dict[str, list[float]] = {name: [] for name in ways}
        costs: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(arguments.rounds):
            for name, servers in ways.items():
                begun, before = perf_counter(), _used(servers)
                asyncio.run(_all(servers, files))
                speeds[name].append(seconds / (perf_counter() - begun))
                costs[name].append((_used(servers) - before) * 60 / seconds)
    with rows(arguments.json) as table:
        first = median(speeds["one server, SQLite"])
        for name in ways:
            speed, cost = median(speeds[name]), median(costs[name])
            print(f"{name:34}{speed:8.1f}x real time{speed / first:7.2f}{cost:7.2f} s a minute")
            table.append({"name": name, "speed": speed, "ratio": speed / first, "cost": cost})


def _used(servers: Sequence[daemon.Daemon]) -> float:
    """Seconds of processor that the servers have used."""
    return sum(cpu_seconds(psutil.Process(server.process.pid)) for server in servers)


async def _all(servers: Sequence[daemon.Daemon], files: Sequence[Clip]) -> None:
    """Send all files, to each server in turn, and wait for their texts."""
    urls = [servers[number % len(servers)].url for number in range(len(files))]
    await asyncio.gather(*(ask(url, clip.path) for url, clip in zip(urls, files, strict=True)))


@contextmanager
def _on_core(number: int, configuration: str) -> Iterator[daemon.Daemon]:
    """A server on one core."""
    cores = os.sched_getaffinity(0)
    with tempfile.TemporaryDirectory() as folder:
        # A process keeps the cores of the one that starts it.
        os.sched_setaffinity(0, {sorted(cores)[number % len(cores)]})
        try:
            started = daemon.start(Path(folder), configuration)
        finally:
            os.sched_setaffinity(0, cores)
        try:
            yield started
        finally:
            started.process.kill()
            started.process.wait()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Two servers against one.")
    parser.add_argument("folder", type=Path, nargs="?", default=SAMPLES)
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    add_json(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
