"""One server for all examples of the pages, and a folder to run them in."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.docs.blocks import Block
from tests.support.clips import ROOT
from tests.support.examples import Examples
from tools.daemon import Daemon, running

_LINKED = ("samples", "client.py", "coqui_client", "coqui_server", "coqui_transcript")


@pytest.fixture(scope="session")
def examples(tmp_path_factory: pytest.TempPathFactory, whisper_model: Path) -> Iterator[Examples]:
    """The examples, with Moonshine and Whisper behind them and one session in the store."""
    enabled = f'engines.enabled = [whisper]\nwhisper.model = "{whisper_model}"\nwyoming.port = 0\n'
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
        "127.0.0.1:10300": daemon.wyoming,
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
