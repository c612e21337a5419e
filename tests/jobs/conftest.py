"""A queue over a real store, on either database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from coqui_server.config.settings import Settings
from coqui_server.config.store import StoreSettings
from coqui_server.engines import Engines
from coqui_server.engines.base import Engine
from coqui_server.jobs import opening
from coqui_server.store import opened
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.service import Service
from tests.support.live import Obstacle
from tests.support.queue import Desk, Open
from tests.support.stores import server, settings

__all__ = ["server", "settings"]


@pytest.fixture
def desk(settings: StoreSettings, scheduler: Scheduler) -> Open:
    """Opens the store and its queue: `async with desk(engine, …, server={…}, jobs={…})`."""

    @asynccontextmanager
    async def open(*engines: Engine, **configured: Any) -> AsyncIterator[Desk]:
        wanted = Settings.model_validate(configured)
        async with opened(settings) as store:
            assert store is not None
            service = Service(wanted, Engines(*engines), scheduler, store.keeper)
            async with opening.opened(service, store) as queue:
                yield Desk(queue, store)

    return open


@pytest.fixture
def held() -> Any:
    """An engine that holds everything up until it is let go, which it is in the end."""
    engine = Obstacle(held=True)
    yield engine
    engine.let_go()
