"""Stores on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator, Iterator

import pytest

from coqui_server.config.settings import Settings
from coqui_server.config.store import StoreSettings
from coqui_server.engines import Engines
from coqui_server.engines.base import Engine
from coqui_server.store.claims import Claims
from coqui_server.store.database import Database, opened
from coqui_server.store.jobs import Jobs
from coqui_server.store.keeper import Keeper
from coqui_server.store.recordings import Recordings
from coqui_server.store.sessions import Sessions
from coqui_server.store.uploads import Uploads
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.service import Service
from tests.support.stores import Listening, server, settings

__all__ = ["server", "settings"]


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
def claims(database: Database) -> Claims:
    """The same queue, as workers use it, who have a job for an hour."""
    return Claims(database, lease=3600, attempts=3)


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


@pytest.fixture
def listening(keeper: Keeper, moonshine: Engine, scheduler: Scheduler) -> Listening:
    """Makes the service whose sessions are kept: with Moonshine, unless another engine is given."""

    def make(engine: Engine = moonshine) -> Service:
        return Service(Settings(), Engines(engine), scheduler, keeper)

    return make
