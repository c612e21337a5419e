"""What goes wrong: each event begins, lasts, and is over."""

import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools import postgresql
from tools.daemon import Daemon

_CLOCKS = "/usr/lib/*/faketime/libfaketimeMT.so.1"
_DISK = "1g"
_BLOCK = 2**20


@dataclass
class Place:
    """Where the daemon runs.

    Attributes:
        folder: of its configuration; `data` in it is its store.
        clock: the file that sets its clock; None if it cannot be set.
        database: its PostgreSQL; None for SQLite.
    """

    folder: Path
    clock: Path | None = None
    database: postgresql.Server | None = None

    @property
    def data(self) -> Path:
        """The folder of its store."""
        return self.folder / "data"

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables by which a wrong clock is put into the daemon."""
        if self.clock is None:
            return {}
        library = next(Path("/").glob(_CLOCKS.lstrip("/")))
        return {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self.clock),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


Event = Callable[[Place], AbstractContextManager[None]]
"""Something that happens to a place while the block lasts."""


@contextmanager
def calm(place: Place) -> Iterator[None]:
    """Nothing."""
    yield


@contextmanager
def locked(place: Place) -> Iterator[None]:
    """Another program holds the database."""
    path = place.data / "coqui_server.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def full(place: Place) -> Iterator[None]:
    """The disk is full, to the last byte."""
    filler = place.data / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(_BLOCK))
        except OSError:
            pass
    yield
    filler.unlink()


@contextmanager
def clock_back(place: Place) -> Iterator[None]:
    """The clock goes back by an hour, and forward again."""
    assert place.clock is not None
    place.clock.write_text("-1h\n")
    yield
    place.clock.write_text("+0\n")


@contextmanager
def database_down(place: Place) -> Iterator[None]:
    """PostgreSQL stops at once, and starts again."""
    assert place.database is not None
    place.database.stop()
    yield
    place.database.start()


def kill(daemon: Daemon) -> None:
    """No time for anything."""
    daemon.process.kill()
    daemon.process.wait()


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """A disk of its own at this folder, if this user may mount one; whether there is one."""
    mount = shutil.which("mount")
    command = [mount or "", "-t", "tmpfs", "-o", f"size={_DISK}", "soak", str(folder)]
    mounted = bool(mount) and not subprocess.run(command, capture_output=True).returncode
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)


def clock_file(folder: Path) -> Path | None:
    """The file that sets the daemon's clock; None without libfaketime."""
    if not any(Path("/").glob(_CLOCKS.lstrip("/"))):
        return None
    file = folder / "clock"
    file.write_text("+0\n")
    return file
