"""The service with its engines, put together: for the daemon, and for workers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from coqui_server import word_times
from coqui_server.cluster import Cluster
from coqui_server.config.settings import Settings
from coqui_server.engines import Engines, load_engines
from coqui_server.speakers import model
from coqui_server.transcription.keeping import Keeper
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.service import Service, TermsOf
from coqui_server.word_times.aligner import Aligner


@asynccontextmanager
async def opened(
    settings: Settings,
    engines: Engines | None = None,
    keeper: Keeper | None = None,
    terms_of: TermsOf | None = None,
    shared: Cluster | None = None,
) -> AsyncIterator[Service]:
    """A service, with decoder threads of its own.

    Args:
        engines: used as they are, and left open; None loads those of the settings, measures them,
            and closes them at the end.
        keeper, terms_of, shared: as `Service` has them.

    Raises:
        ConfigError: a model is missing.
    """
    async with AsyncExitStack() as stack:
        measured = engines is not None
        if engines is None:
            engines = await asyncio.to_thread(load_engines, settings)
            stack.push_async_callback(engines.close)
        aligner = Aligner() if word_times.available() else None
        if aligner:
            stack.push_async_callback(asyncio.to_thread, aligner.close)
        if settings.speakers != "off":
            await asyncio.to_thread(model.loaded)
        scheduler = Scheduler(settings.server.threadpool.count)
        stack.push_async_callback(scheduler.close)
        service = Service(settings, engines, scheduler, keeper, terms_of, aligner, shared)
        if not measured:
            await service.rehearse()
        yield service
