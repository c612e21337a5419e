"""A real Redis, from Debian's package, in a folder of its own."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.ports import free_port, wait_until_open


class Server:
    """A running server. It keeps what it is told on the disk, each command at once.

    Attributes:
        port: of 127.0.0.1.
        url: its address.
    """

    def __init__(self, program: str, folder: Path) -> None:
        self._program, self._folder = program, folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *more: str) -> None:
        """Start it; returns when it takes connections.

        Args:
            more: of its settings, such as "--maxmemory", "2mb".
        """
        command = [self._program, "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--dir", str(self._folder), "--save", "", "--appendonly", "yes"]
        command += ["--appendfsync", "always", *more]
        with (self._folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_until_open(self.port, self.process)
        # It answers before it has read what it has kept.
        while not self._answers():
            time.sleep(0.02)

    def _answers(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(100).startswith(b"+PONG")

    def stop(self, *, forget: bool = False) -> None:
        """Kill it.

        Args:
            forget: delete what it has kept.
        """
        if self.process:
            self.process.kill()
            self.process.wait()
        if forget:
            shutil.rmtree(self._folder / "appendonlydir", ignore_errors=True)


@contextmanager
def running() -> Iterator[Server]:
    """A server.

    Raises:
        FileNotFoundError: it is not installed.
    """
    program = shutil.which("redis-server")
    if program is None:
        raise FileNotFoundError("redis-server is not installed")
    with tempfile.TemporaryDirectory() as folder:
        server = Server(program, Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.stop()
