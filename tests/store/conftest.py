"""Stores on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from coqui_server.store.database import Database, opened
from coqui_server.store.sessions import Sessions
from coqui_server.store_settings import StoreSettings
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
def sessions(database: Database, settings: StoreSettings) -> Sessions:
    """The sessions in it."""
    return Sessions(database, settings.path / "recordings")
