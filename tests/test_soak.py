"""The soak command, briefly: each event once, and nothing is lost."""

import subprocess
import sys

import pytest

from tests.support.clips import ROOT


@pytest.mark.process
@pytest.mark.database
@pytest.mark.timeout(600)
def test_nothing_is_lost_whatever_goes_wrong() -> None:
    """Killed, restarted, its database locked; where it can be, with a full disk and a wrong
    clock."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.soak", "--minutes", "0", "--speakers", "2"],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = {line[:20].strip(): line[20:].split()[:5] for line in done.stdout.splitlines()}
    events = [rows[name] for name in ("calm", "kill -9", "restart", "database locked")]
    finals, lost, doubled, files, lost_files = (
        sum(map(int, column)) for column in zip(*events, strict=True)
    )
    assert finals > 0
    assert files > 0
    assert lost == doubled == lost_files == 0
