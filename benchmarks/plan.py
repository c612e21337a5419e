"""How many calls a server takes, and what many calls need: a simulation, held against measurements.

    python -m benchmarks.plan [--calls 10,1000,100000] [--engine moonshine|whisper] [--cores 4]
                              [--talk 0.45]

The first table has what was measured and what the simulation says of the same case. The second has
what a server with so many cores takes, and when its finals come. The third is the plan: for each
number of calls at once, what each tier needs. A call has two sides, each a stream that speaks for
the share `--talk` of the time. The figures are explained in docs/capacity.md.
"""

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.queueing import Costs, delays, finals_per_second
from coqui_server.transcription.load import FULL

COSTS = {
    "moonshine": Costs(loop=0.0057, decoders=0.0301, others=0.0081),
    "whisper": Costs(loop=0.0057, decoders=0.1950, others=0.0),
}
"""As `benchmarks.cores` measured them: the loop with 24 calls, whisper with two."""

_PROCESSORS = 0.85
"""The share of all cores that the server promises to live sessions."""

_USED = 0.75
"""The share of what a server takes that the plan gives it: calls are not dealt evenly, and those of
a server that fails go to the others."""

_SERVER_MB, _STREAM_MB = 450.0, 0.25
"""Memory of a server with its processes, and of a stream (`benchmarks.sessions`)."""

_FINAL_POSTGRESQL = 26e-6
"""Seconds of PostgreSQL's processor time for a final (`benchmarks.finals`)."""

_SOUND_MB_HOUR = 115.2
_PACKETS_MBIT = 0.08
"""Of a stream: kept sound (16-bit, 16 kHz), and PCMU in packets of 20 ms."""

_CELL = 2000
"""Calls on one PostgreSQL and one Redis: about 40 servers, with at most 16 connections each."""

MEASURED_FINALS = {1: (0.664, 0.761), 4: (0.622, 0.801), 8: (0.642, 0.895)}
"""By streams on two cores: seconds to the final, p50 and p95 (`benchmarks.latency`)."""

MEASURED_ADMITTED = 66
"""Live sessions and calls that two cores let in (`benchmarks.load`), before there were word times,
which are the work of other processes."""

_BUSY = 0.72
"""The share of speech in the streams of these measurements."""


@dataclass(frozen=True)
class Tiers:
    """What so many calls at once need."""

    calls: int
    servers: int
    cells: int
    cores: int
    memory_gb: float
    postgresql_cores: float
    finals_per_second: float
    network_mbit: float
    sound_gb_hour: float


def most(costs: Costs, cores: int, talk: float) -> int:
    """Streams that a server lets in, by the same rules as the server's: neither the threads, nor
    the event loop, nor all processors may be promised to more than a part."""
    by_threads = FULL * cores / (talk * costs.decoders)
    by_loop = FULL / costs.loop
    by_processors = _PROCESSORS * cores / costs.each(talk)
    return int(min(by_threads, by_loop, by_processors))


def tiers(calls: int, costs: Costs, cores: int, talk: float) -> Tiers:
    """What is needed for so many calls at once, with this many cores for each of several servers,
    of which one in each cell may fail. One alone is as small as will do."""
    streams = 2 * calls
    cells = math.ceil(calls / _CELL)
    small = [size for size in (1, 2) if streams <= most(costs, size, talk) * _USED]
    if small:
        servers, cores = 1, small[0]
    else:
        servers = math.ceil(streams / (most(costs, cores, talk) * _USED)) + cells
    finals = finals_per_second(streams, talk)
    return Tiers(
        calls,
        servers,
        cells,
        servers * cores,
        (servers * _SERVER_MB + streams * _STREAM_MB) / 1000,
        finals * _FINAL_POSTGRESQL,
        finals,
        streams * _PACKETS_MBIT,
        streams * _SOUND_MB_HOUR / 1000,
    )


def checks() -> Iterator[tuple[str, float, float]]:
    """What was measured: its name, the figure, and the simulation's."""
    costs = COSTS["moonshine"]
    for streams, (p50, p95) in MEASURED_FINALS.items():
        simulated = np.percentile(delays(streams, 2, _BUSY, costs, 20), (50, 95))
        yield f"{streams} streams, final, p50 (s)", p50, float(simulated[0])
        yield f"{streams} streams, final, p95 (s)", p95, float(simulated[1])
    alone = Costs(costs.loop, costs.decoders, others=0.0)
    yield "sessions let in, 2 cores", MEASURED_ADMITTED, most(alone, 2, _BUSY)


def main() -> None:
    arguments = _arguments()
    costs = COSTS[arguments.engine]
    print("check                            measured  simulated")
    for name, measured, simulated in checks():
        print(f"{name:32} {measured:8.3g} {simulated:10.3g}")
    print("\ncores  streams  limit       p50 s   p95 s")
    for cores in (1, 2, 4, 8):
        print(_capacity(costs, cores, arguments.talk))
    print("\n   calls  servers  cells   cores  memory GB  PostgreSQL cores  finals/s  Mbit/s  GB/h")
    for calls in arguments.calls:
        needed = tiers(calls, costs, arguments.cores, arguments.talk)
        print(
            f"{needed.calls:8} {needed.servers:8} {needed.cells:6} {needed.cores:7}"
            f" {needed.memory_gb:10.1f} {needed.postgresql_cores:17.2f}"
            f" {needed.finals_per_second:9.0f} {needed.network_mbit:7.0f}"
            f" {needed.sound_gb_hour:5.0f}"
        )


def _capacity(costs: Costs, cores: int, talk: float) -> str:
    """A row of the second table."""
    streams = most(costs, cores, talk)
    p50, p95 = np.percentile(delays(streams, cores, talk, costs, 20), (50, 95))
    limit = "event loop" if streams == int(FULL / costs.loop) else "processors"
    return f"{cores:5} {streams:8}  {limit:10} {p50:6.2f} {p95:7.2f}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What so many calls at once need.")
    parser.add_argument("--calls", type=_numbers, default=[10, 1000, 100_000])
    parser.add_argument("--engine", default="moonshine", choices=tuple(COSTS))
    parser.add_argument("--cores", type=int, default=4, help="of each server")
    parser.add_argument("--talk", type=float, default=0.45, help="speech, of the time of a stream")
    return parser.parse_args()


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


if __name__ == "__main__":
    main()
