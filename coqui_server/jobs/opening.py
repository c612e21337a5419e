"""The queue with its backend, put together."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from coqui_server import extras
from coqui_server.config.settings import Settings
from coqui_server.exceptions import ConfigError
from coqui_server.jobs.backend import Backend
from coqui_server.jobs.local import Local
from coqui_server.jobs.notices import Notices
from coqui_server.jobs.queue import Queue
from coqui_server.jobs.running import job_message
from coqui_server.jobs.worker import Worker
from coqui_server.store import Store
from coqui_server.store.claims import Claims
from coqui_server.transcription.service import Service


@asynccontextmanager
async def opened(service: Service, store: Store) -> AsyncIterator[Queue]:
    """The queue of a store, with the backend of the settings.

    Raises:
        ConfigError: as `check`.
        StoreError: the table cannot be read.
    """
    settings = service.settings
    check(settings)
    claims = Claims(store.database, settings.cluster.lease, settings.jobs.attempts)
    async with AsyncExitStack() as stack:
        notices = await stack.enter_async_context(Notices(service.cluster))
        backend = _celery(settings, claims) or _local(service, store, claims, notices)
        yield await stack.enter_async_context(Queue(service, store, claims, backend, notices))


def check(settings: Settings) -> None:
    """Check whether the backend of the settings can be had.

    Raises:
        ConfigError: it cannot; the message says why.
    """
    if settings.jobs.backend == "local":
        return
    for missing in extras.missing("celery"):
        raise missing
    if settings.cluster.url is None or not settings.store.enabled:
        problem = "found celery, allowed without cluster.redis or without a store: local"
        raise ConfigError("jobs.backend", problem)


def check_worker(settings: Settings) -> None:
    """Check whether a worker can be had.

    Raises:
        ConfigError: as `check`, or no server has work for it.
    """
    check(settings)
    if settings.jobs.backend == "local":
        raise ConfigError("jobs.backend", "found local, allowed for a worker: celery")


def work(settings: Settings) -> int:
    """Be a worker until SIGTERM or SIGINT; the exit code. Raises as `check_worker`."""
    check_worker(settings)
    from coqui_server.jobs.process import run

    return run(settings)


def _celery(settings: Settings, claims: Claims) -> Backend | None:
    if settings.jobs.backend == "local":
        return None
    # Celery is imported only where it is used.
    from coqui_server.jobs.announcing import OnCelery, application

    return OnCelery(application(settings), claims, settings.engine)


def _local(service: Service, store: Store, claims: Claims, notices: Notices) -> Backend:
    shared = service.settings.cluster
    worker = Worker(service, store, claims, shared.name, lambda job: notices.tell(job_message(job)))
    return Local(worker, claims, shared.name if shared.url else None)
