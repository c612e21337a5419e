"""The queue with its backend, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from coqui_server.jobs.local import Local
from coqui_server.jobs.queue import Queue
from coqui_server.jobs.running import job_message
from coqui_server.jobs.worker import Worker
from coqui_server.store import Store
from coqui_server.store.claims import Claims
from coqui_server.transcription.hub import Announcer
from coqui_server.transcription.service import Service


@asynccontextmanager
async def opened(service: Service, store: Store) -> AsyncIterator[Queue]:
    """The queue of a store, with the backend of the settings.

    Raises:
        StoreError: the table cannot be read.
    """
    settings = service.settings
    claims = Claims(store.database, settings.cluster.lease, settings.jobs.attempts)
    announcer = Announcer()
    name = settings.cluster.name
    worker = Worker(service, store, claims, name, lambda job: announcer.tell(job_message(job)))
    backend = Local(worker, claims, name if settings.cluster.url else None)
    async with Queue(service, store, claims, backend, announcer) as queue:
        yield queue
