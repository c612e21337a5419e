"""A real PostgreSQL, from Debian's package, on a socket in a folder of its own."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

_ACCOUNT = "postgres"
"""Who runs it for root, by whom it refuses to be run."""


class Server:
    """A running server, without fsync: nothing here is a power cut."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._folder = programs, folder
        self._account = _ACCOUNT if os.geteuid() == 0 else None
        self._databases = count()

    def run(self, program: str, *arguments: str) -> None:
        """One of its programs, which must end well."""
        command = [str(self._programs / program), *arguments]
        log = self._folder / "log"
        with log.open("ab") as printed:
            ended = subprocess.run(
                command,
                user=self._account,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                check=False,
            )
        assert ended.returncode == 0, log.read_text()

    def start(self) -> None:
        """Start it; returns when it takes connections."""
        quick = f"-c listen_addresses='' -c fsync=off -k {self._folder}"
        self.run("pg_ctl", "-D", "data", "-o", quick, "-w", "start")

    def stop(self) -> None:
        """Stop it at once, without a word to its clients."""
        self.run("pg_ctl", "-D", "data", "-m", "immediate", "stop")

    def create(self) -> str:
        """The address of an empty database."""
        name = f"test_{next(self._databases)}"
        self.run("createdb", "-h", str(self._folder), "-U", "coqui", name)
        return f"postgresql://coqui@/{name}?host={self._folder}"


@contextmanager
def running() -> Iterator[Server]:
    """A server.

    Raises:
        FileNotFoundError: it is not installed.
    """
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = shutil.which("initdb") or (str(versions[-1]) if versions else None)
    if found is None:
        raise FileNotFoundError("postgresql is not installed")
    with tempfile.TemporaryDirectory() as folder:
        if os.geteuid() == 0:
            shutil.chown(folder, _ACCOUNT)
        server = Server(Path(found).resolve().parent, Path(folder))
        server.run("initdb", "-D", "data", "-U", "coqui", "-A", "trust", "-E", "UTF8", "--no-sync")
        server.start()
        try:
            yield server
        finally:
            server.stop()
