"""HAProxy in front of daemons, with the configuration that is shipped."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.clips import ROOT
from tools.ports import free_port, wait_until_open

CONFIGURATION = ROOT / "deploy" / "haproxy.cfg"


def haproxy() -> str:
    """The path of HAProxy; without it the test is skipped."""
    program = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("haproxy is not installed")
    return program


@contextmanager
def in_front_of(consoles: Sequence[int], folder: Path) -> Iterator[str]:
    """HAProxy before the daemons with their consoles on these ports; its own `host:port`."""
    speech, console = free_port(), free_port()
    text = CONFIGURATION.read_text(encoding="utf-8")
    places = {":5004": f"127.0.0.1:{speech}", "bind :8000": f"bind 127.0.0.1:{console}"}
    places |= {f"server-{n}:8000": f"127.0.0.1:{port}" for n, port in enumerate(consoles, 1)}
    for place, ours in places.items():
        assert place in text, place
        text = text.replace(place, ours)
    path = folder / "haproxy.cfg"
    path.write_text(text, encoding="utf-8")
    process = subprocess.Popen([haproxy(), "-f", path])
    try:
        wait_until_open(console, process)
        yield f"127.0.0.1:{console}"
    finally:
        process.terminate()
        process.wait()
