"""The daemon as a process of its own, on a free port: for the demo, the benchmarks and tests."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Daemon:
    """A running daemon.

    Attributes:
        console: `http://host:port` of the pages; empty if there are none.
        url: `ws://host:port`, without a path.
        rtp, wyoming: `host:port`, where calls and Wyoming are taken; empty if they are not.
        log: the file with its output.
    """

    process: "subprocess.Popen[bytes]"
    console: str
    url: str
    rtp: str
    wyoming: str
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
        daemon = start(Path(folder), configuration)
        try:
            yield daemon
        finally:
            daemon.process.kill()
            daemon.process.wait()


def start(
    folder: Path, configuration: str = "", environment: Mapping[str, str] | None = None
) -> Daemon:
    """Start a daemon that keeps everything in a folder, where an earlier one may have left its
    store. The caller ends it. Raises as `running`.

    Args:
        environment: more variables for it.
    """
    file, log, ready = (folder / name for name in ("application.conf", "log", "ready"))
    ports = "server.http.port = 0\nrtp.port = 0\nweb.port = 0\n"
    file.write_text(f"{ports}{configuration}\n", encoding="utf-8")
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "coqui_server.app", "--config", str(file)]
    with log.open("a") as output:
        process = subprocess.Popen(
            [*command, "--ready-file", str(ready)],
            stdout=output,
            stderr=output,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
        )
    try:
        addresses = _wait_for(ready, process, log)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return Daemon(
        process,
        console=addresses["console"] or "",
        url=addresses["speech"][0],
        rtp=addresses["rtp"] or "",
        wyoming=addresses["wyoming"] or "",
        log=log,
    )


def _wait_for(ready: Path, process: "subprocess.Popen[bytes]", log: Path) -> dict[str, Any]:
    while not ready.exists():
        if process.poll() is not None:
            raise RuntimeError(f"the daemon did not start: {log.read_text()}")
        time.sleep(0.02)
    addresses: dict[str, Any] = json.loads(ready.read_text(encoding="utf-8"))
    return addresses
