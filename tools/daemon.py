"""The daemon as a process of its own, on a free port: for the demo, the benchmarks and tests."""

import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Daemon:
    """A running daemon.

    Attributes:
        console: `http://host:port` of the pages; empty if there are none.
        url: `ws://host:port`, without a path.
        rtp: `host:port`, where calls are taken; empty if they are not.
        log: the file its standard error goes to.
    """

    process: "subprocess.Popen[str]"
    console: str
    url: str
    rtp: str
    log: Path

    def stop(self) -> int:
        """Ask it to end, wait until it has, and give its exit code."""
        self.process.send_signal(signal.SIGTERM if sys.platform != "win32" else signal.SIGINT)
        return self.process.wait(30)


@contextmanager
def running(configuration: str = "") -> Iterator[Daemon]:
    """A daemon with `configuration` (HOCON) on top of the defaults, on any free port.

    Raises:
        RuntimeError: it did not start; with what it wrote.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "application.conf"
        ports = "server.http.port = 0\nrtp.port = 0\nweb.port = 0\n"
        file.write_text(f"{ports}{configuration}\n", encoding="utf-8")
        log = Path(folder) / "log"
        with log.open("w") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "coqui_server.app", "--config", str(file)],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=ROOT,
            )
        try:
            yield Daemon(process, *_addresses(process, log), log)
        finally:
            process.kill()
            process.communicate()


def _addresses(process: "subprocess.Popen[str]", log: Path) -> tuple[str, str, str]:
    """Read the start-up screen as far as the addresses in it."""
    assert process.stdout is not None
    console = url = ""
    for line in process.stdout:
        if found := re.search(r"console +(http://\S+)/", line):
            console = found[1]
        elif found := re.search(r"listens at +http://(\S+)/health", line):
            url = f"ws://{found[1]}"
        elif found := re.search(r"calls +(?:rtp://([^,\s]+)|off)", line):
            return console, url, found[1] or ""
    raise RuntimeError(f"the daemon did not start: {log.read_text()}")
