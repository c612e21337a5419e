"""What a final costs in the store, on SQLite and on PostgreSQL: for planning.

    python -m benchmarks.finals [--sessions 300] [--finals 40] [--json FILE]

So many sessions say as many finals of eight words as they can, as each waits until its own is
committed. Printed are finals a second, microseconds of processor time for each in this process and
in PostgreSQL's, and the bytes that the database grew by. PostgreSQL is Debian's, on this machine,
without fsync: the time of the disk is not in these figures.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from benchmarks.results import add_json, cpu_seconds, rows
from coqui_server.config.store import StoreSettings
from coqui_server.store import opened
from coqui_server.store.keeper import Keeper
from coqui_server.transcription.events import Final, SessionEnded, SessionStarted, Source
from coqui_transcript.transcript import Segment, Word
from tools import postgresql

_WORDS = tuple(Word("speech", 0.4 * n, 0.4 * n + 0.3, 0.9) for n in range(8))
_FINAL = Segment(0.0, 3.2, "Speech " + "speech " * 7, _WORDS, 0.9)


def main() -> None:
    arguments = _arguments()
    print("database     finals/s   here us   there us")
    with rows(arguments.json) as table, tempfile.TemporaryDirectory() as folder:
        lite = StoreSettings(path=Path(folder) / "sqlite")
        found = asyncio.run(measure(lite, "sqlite", arguments, lambda: 0.0))
        table.append({"database": "sqlite", **found})
        with postgresql.running() as server:
            address = {"path": Path(folder) / "postgresql", "url": server.create()}
            served = StoreSettings.model_validate(address)
            found = asyncio.run(measure(served, "postgresql", arguments, _of_postgresql))
            table.append({"database": "postgresql", **found})


async def measure(
    settings: StoreSettings, name: str, arguments: argparse.Namespace, there: Callable[[], float]
) -> dict[str, float]:
    """Print the row of a database.

    Args:
        there: the processor time that its server has used.
    """
    async with opened(settings) as store:
        assert store is not None
        sessions = [
            say(store.keeper, str(number), arguments.finals) for number in range(arguments.sessions)
        ]
        before = (time.perf_counter(), cpu_seconds(psutil.Process()), there())
        await asyncio.gather(*sessions)
        after = (time.perf_counter(), cpu_seconds(psutil.Process()), there())
    count = arguments.sessions * arguments.finals
    took, ours, its = (end - start for start, end in zip(before, after, strict=True))
    found = {
        "finals_per_second": round(count / took),
        "microseconds_here": round(ours / count * 1e6),
        "microseconds_there": round(its / count * 1e6),
    }
    print(f"{name:11} {'  '.join(f'{value:8}' for value in found.values())}", flush=True)
    return found


async def say(keeper: Keeper, session: str, finals: int) -> None:
    """A session from its start to its end."""
    source = Source(session, "rtp")
    await keeper(SessionStarted(source, "none"))
    for _ in range(finals):
        await keeper(Final(source, _FINAL))
    await keeper(SessionEnded(source, 4.0 * finals))


def _of_postgresql() -> float:
    """Processor time of all its processes on this machine."""
    found = (process for process in psutil.process_iter(["name"]))
    return sum(cpu_seconds(each) for each in found if each.info["name"] == "postgres")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Cost of a final in the store.")
    parser.add_argument("--sessions", type=int, default=300)
    parser.add_argument("--finals", type=int, default=40)
    add_json(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
