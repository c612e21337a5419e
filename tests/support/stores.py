"""Settings of empty stores, on SQLite and on PostgreSQL, and what the tests of the store share.

`server` and `settings` are fixtures: the conftest of a folder that needs them imports them.
"""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from coqui_server.config.store import StoreSettings
from coqui_server.media.ffmpeg import find_ffmpeg
from coqui_server.media.samples import Samples
from coqui_server.transcription.service import Service
from tools import postgresql

Listening = Callable[..., Service]
"""Makes the service whose sessions are kept; takes the engine, which is Moonshine by default."""


def settings_of(folder: Path, url: str | None = None) -> StoreSettings:
    """Settings of a store, as a configuration gives them."""
    return StoreSettings.model_validate({"path": folder, "url": url})


def played(file: Path) -> Samples:
    """What a player makes of a WAV file, which it must do without a complaint."""
    command = [find_ffmpeg(), "-v", "warning", "-guess_layout_max", "0"]
    command += ["-i", str(file), "-f", "s16le", "pipe:1"]
    ended = subprocess.run(command, capture_output=True, check=True)
    assert ended.stderr == b""
    return np.frombuffer(ended.stdout, "<i2")


@pytest.fixture(scope="session")
def server() -> Iterator[postgresql.Server]:
    """A PostgreSQL server; without its package the tests are skipped."""
    try:
        with postgresql.running() as server:
            yield server
    except FileNotFoundError as missing:
        pytest.skip(str(missing))


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> StoreSettings:
    """Settings of an empty store, on each database in turn."""
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("server").create()
    return settings_of(tmp_path / "data", url)
