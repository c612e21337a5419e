"""The fuzz command, briefly: every target is tried, and nothing fails."""

import subprocess
import sys

import pytest

from tests.support.clips import ROOT
from tools.fuzz.messages import PROTOCOLS
from tools.fuzz.parsers import PARSERS


@pytest.mark.process
@pytest.mark.timeout(600)
def test_every_parser_and_protocol_stands_bad_input() -> None:
    """Parsers, protocols and REST; `tests/rtp/test_hostile.py` has the datagrams."""
    targets = [*PARSERS, *PROTOCOLS, "wyoming", "rest"]
    done = subprocess.run(
        [sys.executable, "-m", "tools.fuzz", *targets, "--count", "300"],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    tried = {line.split(":")[0] for line in done.stdout.splitlines() if ": 300 in " in line}
    assert tried == set(targets)
