"""Stores on SQLite and on PostgreSQL."""

import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from coqui_server.config.settings import Settings
from coqui_server.config.store import StoreSettings
from coqui_server.engines import Engines
from coqui_server.engines.base import Engine
from coqui_server.media.ffmpeg import find_ffmpeg
from coqui_server.media.samples import Samples
from coqui_server.store.database import Database, opened
from coqui_server.store.jobs import Jobs
from coqui_server.store.keeper import Keeper
from coqui_server.store.recordings import Recordings
from coqui_server.store.sessions import Sessions
from coqui_server.store.uploads import Uploads
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.service import Service
from tests.store import postgresql


@pytest.fixture(scope="session")
def server() -> Iterator[postgresql.Server]:
    """A PostgreSQL server."""
    with postgresql.running() as server:
        yield server


def settings_of(folder: Path, url: str | None = None) -> StoreSettings:
    """Settings of a store, as a configuration gives them."""
    return StoreSettings.model_validate({"path": folder, "url": url})


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> StoreSettings:
    """Settings of an empty store, on each database in turn."""
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("server").create()
    return settings_of(tmp_path / "data", url)


@pytest.fixture
async def database(settings: StoreSettings) -> AsyncIterator[Database]:
    """An empty database of each kind."""
    async with opened(settings) as database:
        yield database


@pytest.fixture
def recordings(settings: StoreSettings) -> Iterator[Recordings]:
    """An empty folder for sound."""
    recordings = Recordings(settings.path / "recordings")
    yield recordings
    recordings.close()


@pytest.fixture
def sessions(database: Database, recordings: Recordings) -> Sessions:
    """The sessions that are kept."""
    return Sessions(database, recordings)


@pytest.fixture
def jobs(database: Database) -> Jobs:
    """An empty queue."""
    return Jobs(database)


@pytest.fixture
def uploads(settings: StoreSettings) -> Uploads:
    """An empty folder for uploads."""
    return Uploads(settings.path / "uploads")


@pytest.fixture
async def keeper(
    database: Database, recordings: Recordings, settings: StoreSettings
) -> AsyncIterator[Keeper]:
    """What writes them."""
    async with Keeper(database, recordings, settings.recordings) as keeper:
        yield keeper


def played(file: Path) -> Samples:
    """What a player makes of a WAV file, which it must do without a complaint."""
    command = [find_ffmpeg(), "-v", "warning", "-guess_layout_max", "0"]
    command += ["-i", str(file), "-f", "s16le", "pipe:1"]
    ended = subprocess.run(command, capture_output=True, check=True)
    assert ended.stderr == b""
    return np.frombuffer(ended.stdout, "<i2")


Listening = Callable[..., Service]


@pytest.fixture
def listening(keeper: Keeper, moonshine: Engine, scheduler: Scheduler) -> Listening:
    """Makes the service whose sessions are kept: with Moonshine, unless another engine is given."""

    def make(engine: Engine = moonshine) -> Service:
        return Service(Settings(), Engines(engine), scheduler, keeper)

    return make
