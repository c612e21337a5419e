"""One server for all examples of the pages, and a folder to run them in."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

import httpx
import pytest

from tests.docs.blocks import Block
from tests.support.clips import ROOT
from tools.daemon import Daemon, running

_DEADLINE = 100.0
"""Seconds until a block that hangs is stopped, so that its output is shown."""

_LINKED = ("samples", "client.py", "coqui_client", "coqui_server", "coqui_transcript")

_UNTIL_ONE_FAILS = "set -e\n"
"""A console's commands are a script that ends at the first one that fails."""


@dataclass(frozen=True)
class Examples:
    """Runs what the pages show, with this server's ports (and a token) for theirs."""

    folder: Path
    replaced: Mapping[str, str]

    def run(self, block: Block) -> tuple[int, str]:
        """Run a block.

        Returns:
            The exit code and what it printed. The code is 0 for a block that does not end by
            itself and was stopped when it had printed what it should.
        """
        script = block.script
        for old, new in self.replaced.items():
            script = script.replace(old, new)
        shell = ["bash", "-c", _UNTIL_ONE_FAILS + script]
        process = subprocess.Popen(
            [sys.executable, "-c", script] if block.language == "python" else shell,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            cwd=self.folder,
            env=_environment(),
            start_new_session=True,
        )
        timer = Timer(_DEADLINE, _kill, [process])
        timer.start()
        try:
            return _followed(process, block)
        finally:
            timer.cancel()
            _kill(process)
            process.communicate()


def _followed(process: "subprocess.Popen[str]", block: Block) -> tuple[int, str]:
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if block.endless and shown(block.printed, text):
            return 0, text
    return process.wait(), text


def shown(printed: re.Pattern[str], text: str) -> bool:
    """Whether a text has what should be printed, whatever its spaces."""
    return printed.search("".join(text.split())) is not None


def _kill(process: "subprocess.Popen[str]") -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COQUI_")}
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return kept | {"PATH": programs, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


@pytest.fixture(scope="session")
def examples(tmp_path_factory: pytest.TempPathFactory, whisper_model: Path) -> Iterator[Examples]:
    """The examples, with Moonshine and Whisper behind them and one session in the store."""
    enabled = f'engines.enabled = [whisper]\nwhisper.model = "{whisper_model}"\n'
    with running(enabled) as daemon:
        examples = Examples(_folder(tmp_path_factory), _replaced(daemon))
        first = Block("", "console", "", "$ python client.py samples/voicemail.wav")
        assert examples.run(first)[0] == 0
        yield examples


@pytest.fixture(scope="session")
def protected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Examples]:
    """The examples, on a server where one has to sign in, with a token that is good."""
    with running("auth.required = true") as daemon:
        replaced = _replaced(daemon) | {"coqui_…": _token(daemon.console)}
        yield Examples(_folder(tmp_path_factory), replaced)


def _folder(factory: pytest.TempPathFactory) -> Path:
    """A folder with what a clone of the repository has after `make demo`."""
    folder = factory.mktemp("examples")
    for name in _LINKED:
        (folder / name).symlink_to(ROOT / name)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def _replaced(daemon: Daemon) -> dict[str, str]:
    """What the pages say, and what is right for this server."""
    address = daemon.url.removeprefix("ws://")
    return {
        "rtp://127.0.0.1:5004": f"rtp://{daemon.rtp}",
        "--rtp 127.0.0.1 ": f"--rtp {daemon.rtp} ",
        "python client.py ": f"python client.py --url {daemon.url} ",
        "127.0.0.1:5004": address,
        "http://127.0.0.1:8000": daemon.console,
    }


def _token(console: str) -> str:
    """The token of a new account, made as a browser makes it."""
    with httpx.Client(base_url=console, headers={"Origin": console}) as browser:
        form = {"name": "anna", "password": "correct horse", "next": "/"}
        assert browser.post("/sign-up", data=form).status_code == 303
        page = browser.get("/account").text
        proof = re.search(r'<meta name="csrf" content="(\w+)">', page)
        assert proof
        form = {"label": "examples", "days": "", "csrf": proof[1]}
        token = re.search(r'id="token">(.+?)<', browser.post("/account/tokens", data=form).text)
        assert token
        return token[1]
