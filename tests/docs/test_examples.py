"""What the README and the pages tell people to type works and prints what they say."""

import importlib.util
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pyhocon import ConfigFactory

from coqui_server.config.loading import parse
from tests.docs.blocks import Block, blocks
from tests.support.examples import Examples, shown
from tests.support.nginx import nginx

BLOCKS = tuple(blocks())


def those(*languages: str) -> list[Any]:
    """Parameters for the blocks in these languages that can run here, each different one once."""
    distinct = {
        (block.text, block.note): block
        for block in reversed(BLOCKS)
        if block.language in languages and block.runs
    }
    return [pytest.param(block, id=block.where) for block in reversed(distinct.values())]


@pytest.mark.parametrize("block", those("console", "python"))
def test_commands_and_programs(request: pytest.FixtureRequest, block: Block) -> None:
    """Every command succeeds; what is printed is what the page shows."""
    server = "protected" if "coqui_…" in block.script else "examples"
    examples: Examples = request.getfixturevalue(server)
    code, text = examples.run(block)
    assert code == 0, text
    assert shown(block.printed, text), text


@pytest.mark.parametrize("block", those("hocon"))
def test_configurations(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every configuration has only keys and values that there are."""
    monkeypatch.setenv("WEBHOOK_SECRET", "whsec_c2VjcmV0")
    tree = ConfigFactory.parse_string(block.text)
    parse(tree.as_plain_ordered_dict(), tmp_path)


@pytest.mark.parametrize("block", those("json"))
def test_json(block: Block) -> None:
    """Every JSON is one."""
    json.loads(block.text)


def test_every_block_says_what_it_is() -> None:
    """A block without a language, or with another one, would be run by nobody."""
    for block in BLOCKS:
        assert block.language in ("console", "python", "hocon", "json", "nginx", "text"), (
            block.where
        )
        assert block.language in ("console", "python") or not block.note, block.where


def test_modules_that_are_named_exist() -> None:
    """Also in commands that are not run here."""
    named = {name for block in BLOCKS for name in re.findall(r"python -m ([a-z_.]+)", block.script)}
    assert "benchmarks.wer" in named
    for name in named:
        assert importlib.util.find_spec(name), name


@pytest.mark.parametrize("block", those("nginx"))
def test_nginx_takes_it(block: Block, tmp_path: Path) -> None:
    """As it is printed, except for the port, which needs a certificate."""
    site = block.text.replace("listen 443 ssl", f"listen unix:{tmp_path}/socket")
    path = tmp_path / "nginx.conf"
    path.write_text(f"pid {tmp_path}/pid; events {{}} http {{ {site} }}")
    tested = subprocess.run(
        [nginx(), "-t", "-p", tmp_path, "-e", tmp_path / "log", "-c", path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert tested.returncode == 0, tested.stderr
