"""The wheel, installed into an environment of its own with all extras, is a server that runs."""

import json
import os
import signal
import subprocess
import sys
import sysconfig
import time
import tomllib
import venv
from pathlib import Path

import pytest

from tests.support.clips import ROOT

_FOR_DEVELOPERS = {"test", "docs", "train"}

_QUICK = """
engine = openai, openai.key = none  # no model to load
server.http.port = 0, web.port = 0, rtp.port = 0
"""


@pytest.mark.process
def test_it_installs_with_its_extras_and_serves(built: Path, tmp_path: Path) -> None:
    """What it needs is taken from the environment of the tests; pip says if anything were missing.
    The program starts outside of the checkout, and ends with code 0."""
    venv.create(tmp_path / "venv", with_pip=False)
    python = tmp_path / "venv" / "bin" / "python"
    (site,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    (site / "others.pth").write_text(sysconfig.get_path("purelib"))
    (wheel,) = built.glob("*.whl")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = set(project["tool"]["setuptools"]["dynamic"]["optional-dependencies"])
    wanted = ",".join(sorted(extras - _FOR_DEVELOPERS))
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-index", "--quiet"]
    subprocess.run([*pip, f"coqui-server[{wanted}] @ {wheel.as_uri()}"], check=True)
    assert (site / "coqui_server" / "app.py").exists()
    serve(tmp_path / "venv" / "bin" / "coqui-server", tmp_path)


def serve(program: Path, folder: Path) -> None:
    """Start it, wait until it listens, and end it."""
    (folder / "application.conf").write_text(_QUICK)
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    ready = folder / "ready"
    with subprocess.Popen([program, "--ready-file", ready], cwd=folder, env=environment) as process:
        while not ready.exists():
            assert process.poll() is None
            time.sleep(0.05)
        assert json.loads(ready.read_text())["pid"] == process.pid
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
