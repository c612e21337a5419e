"""A queue over a real store, on either database; the fixtures below it are those of the store."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from coqui_server.config.settings import Settings
from coqui_server.config.store import StoreSettings
from coqui_server.engines import Engines
from coqui_server.engines.base import Engine
from coqui_server.jobs.queue import Queue
from coqui_server.principal import EVERYBODY
from coqui_server.store import Store, opened
from coqui_server.transcription.messages import Message
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.service import Service
from tests.store.conftest import server, settings
from tests.support.clips import clip
from tests.support.live import Obstacle

__all__ = ["server", "settings"]

VOICE = clip("appointment.wav")


@dataclass
class Desk:
    """A queue, and what its users do."""

    queue: Queue
    store: Store

    async def put(self, owner: str | None, name: str = "a.wav", **wishes: Any) -> int:
        """Upload the sample; the job's id."""
        async with self.queue.receive() as upload:
            await upload.write(wishes.pop("data", VOICE.path.read_bytes()))
            return (await self.queue.add(upload, owner, name, **wishes)).id

    async def until(self, id: int, *states: str) -> Message:
        """Wait until a job is in one of these states."""
        with self.queue.subscribed(EVERYBODY) as news:
            while (job := await self.queue.get(EVERYBODY, id))["state"] not in states:
                await anext(news)
        return job

    async def states(self) -> list[str]:
        """Of all jobs, the first one first."""
        return [job["state"] for job in reversed(await self.queue.find(EVERYBODY))]

    def uploads(self) -> list[str]:
        """The files that are there."""
        return [file.name for file in (self.store.settings.path / "uploads").iterdir()]


Open = Callable[..., AbstractAsyncContextManager[Desk]]


@pytest.fixture
def desk(settings: StoreSettings, scheduler: Scheduler) -> Open:
    """Opens the store and its queue: `async with desk(engine, …, server={…}, jobs={…})`."""

    @asynccontextmanager
    async def open(*engines: Engine, **configured: Any) -> AsyncIterator[Desk]:
        wanted = Settings.model_validate(configured)
        async with opened(settings) as store:
            assert store is not None
            service = Service(wanted, Engines(*engines), scheduler, store.keeper)
            async with Queue(service, store, wanted.jobs) as queue:
                yield Desk(queue, store)

    return open


@pytest.fixture
def held() -> Any:
    """An engine that holds everything up until it is let go, which it is in the end."""
    engine = Obstacle(held=True)
    yield engine
    engine.let_go()
