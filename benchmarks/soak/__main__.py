"""What a daemon loses while everything around it goes wrong.

    python -m benchmarks.soak [--minutes 10] [--speakers 4] [--postgresql]

Speakers, files and clients that break off come all the time. Meanwhile the daemon is killed and
restarted, its database is locked (or PostgreSQL stopped), its disk is full, and its clock is set
back, in turns. At the end, everything that a client was told has to be in the store exactly once:
each final, and each file that was taken into the queue. The exit code is 1 if something is not.

A full disk needs root, which may mount a small one; the clock needs Debian's package faketime.
Without them these events are left out.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path

import httpx

from benchmarks.soak import events
from benchmarks.soak.clients import Clients
from benchmarks.soak.events import Event, Place
from benchmarks.soak.ledger import Ledger, Losses, compare
from benchmarks.speech import SAMPLES
from tools import postgresql
from tools.daemon import Daemon, start

_SETTINGS = """
partials.pace = 10 minutes
server.drain = 3 s
store.recordings.file = false
"""
_LASTS = 2.0
"""Seconds that an event lasts, and the calm after it."""

_KILLED = "kill -9"
_RESTARTED = "restart"


class Soak:
    """A daemon, its clients, and what happens to them."""

    def __init__(self, place: Place, settings: str, speakers: int) -> None:
        self.ledger = Ledger()
        self._place = place
        self._settings = settings
        self._speakers = speakers
        sound = (SAMPLES / "appointment.wav").read_bytes()[44:]
        self._clients = Clients(self.ledger, sound, SAMPLES / "voicemail.wav")

    async def run(self, happening: dict[str, Event | None], minutes: float) -> Losses:
        """Let everything happen, each at least once, and compare."""
        await self._start()
        self._clients.start(self._speakers)
        until = time.monotonic() + 60 * minutes
        for number, name in enumerate(cycle(happening)):
            if number >= len(happening) and time.monotonic() > until:
                break
            self.ledger.event = name
            await self._happen(name, happening[name])
            await self._progress()
        await self._clients.stop()
        losses = await self._compare()
        self._stop()
        return losses

    async def _happen(self, name: str, event: Event | None) -> None:
        if event is None:
            await self._restart(events.kill if name == _KILLED else Daemon.stop)
            return
        if event is events.clock_back:
            # The library for it makes the daemon five times as slow.
            await self._restart(Daemon.stop, self._place.environment)
        with event(self._place):
            await asyncio.sleep(_LASTS)
        if event is events.clock_back:
            await self._restart(Daemon.stop)

    async def _restart(
        self, end: Callable[[Daemon], object], environment: Mapping[str, str] | None = None
    ) -> None:
        daemon, self._clients.daemon = self._clients.daemon, None
        assert daemon is not None
        await asyncio.to_thread(end, daemon)
        await self._start(environment)

    async def _start(self, environment: Mapping[str, str] | None = None) -> None:
        self._clients.daemon = await asyncio.to_thread(
            start, self._place.folder, self._settings, environment
        )

    def _stop(self) -> None:
        assert self._clients.daemon is not None
        self._clients.daemon.stop()

    async def _progress(self) -> None:
        """Wait until sessions and files come to an end again."""
        await self._clients.until_ended(self._speakers)
        print(".", end="", flush=True)

    async def _compare(self) -> Losses:
        daemon = self._clients.daemon
        assert daemon is not None
        async with httpx.AsyncClient(base_url=daemon.console, timeout=60) as client:
            await _no_open_files(client)
        return await compare(self.ledger, daemon.console)


async def _no_open_files(client: httpx.AsyncClient) -> None:
    """Wait until every file in the queue has ended."""
    while True:
        files = (await client.get("/api/files", params={"limit": 1000})).raise_for_status().json()
        if not any(file["state"] in ("pending", "processing") for file in files):
            return
        await asyncio.sleep(0.2)


def main() -> int:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10, help="0 for each event once")
    parser.add_argument("--speakers", type=int, default=4)
    parser.add_argument("--postgresql", action="store_true", help="instead of SQLite")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        place, settings, happening = _set_up(stack, arguments.postgresql)
        soak = Soak(place, settings, arguments.speakers)
        losses = asyncio.run(soak.run(happening, arguments.minutes))
        print()
        return _show(soak.ledger, losses, list(happening))


def _set_up(stack: ExitStack, on_postgresql: bool) -> tuple[Place, str, dict[str, Event | None]]:
    """The place, the configuration, and what can happen there; None: to the daemon itself."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    place = Place(folder, events.clock_file(folder))
    place.data.mkdir()
    happening: dict[str, Event | None] = {"calm": events.calm, _KILLED: None, _RESTARTED: None}
    settings = _SETTINGS
    if on_postgresql:
        place.database = stack.enter_context(postgresql.running())
        settings += f'store.url = "{place.database.create()}"\n'
        happening["PostgreSQL stopped"] = events.database_down
    else:
        happening["database locked"] = events.locked
    if stack.enter_context(events.small_disk(place.data)):
        happening["disk full"] = events.full
    if place.clock:
        happening["clock set back"] = events.clock_back
    return place, settings, happening


def _show(ledger: Ledger, losses: Losses, names: list[str]) -> int:
    """Print the table; the exit code."""
    print(f"{'':20} finals  lost  twice  files  lost  told otherwise")
    for name in names:
        finals = sum(event == name for event in ledger.finals.values())
        files = sum(event == name for event in ledger.files.values())
        told = ", ".join(_refusals(ledger, name))
        print(
            f"{name:20} {finals:6} {losses.lost[name]:5} {losses.doubled[name]:6}"
            f" {files:6} {losses.files[name]:5}  {told}"
        )
    print(f"sessions still open at the end: {losses.running}")
    bad = losses.lost.total() + losses.doubled.total() + losses.files.total() + losses.running
    return 1 if bad else 0


def _refusals(ledger: Ledger, name: str) -> Iterator[str]:
    for (event, code), times in sorted(ledger.refusals.items()):
        if event == name and times:
            yield f"{code} ({times})"


if __name__ == "__main__":
    sys.exit(main())
