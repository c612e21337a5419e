"""The programs that read what is in `deploy`."""

import shutil
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tool() -> dict[str, Path]:
    """hadolint and docker-compose, which packages of the tests bring."""
    programs = Path(sys.executable).parent
    return {name: programs / name for name in ("hadolint", "docker-compose")}


@pytest.fixture
def systemd_analyze() -> str:
    """Its path; without it the test is skipped."""
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd is not installed")
    return found
