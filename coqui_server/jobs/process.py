"""A worker of Celery's: a process whose threads hand their jobs to one event loop."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from concurrent.futures import CancelledError, Future
from contextlib import AsyncExitStack, asynccontextmanager
from threading import Thread
from typing import Any

from celery import Celery, signals

from coqui_server import cluster, logs, store
from coqui_server.config.settings import Settings
from coqui_server.engines import Engines
from coqui_server.exceptions import ConfigError, StoreError
from coqui_server.jobs.announcing import TASK, OnCelery, application
from coqui_server.jobs.running import job_message
from coqui_server.jobs.worker import Worker
from coqui_server.store.claims import Claims
from coqui_server.transcription import opening

_UNUSABLE = 2
"""Exit code when the configuration cannot be used."""

_log = logging.getLogger(__name__)


class Process:
    """What a worker needs to work on jobs, on an event loop in a thread of its own.

    Its methods are called by Celery's threads. `start` comes first.
    """

    def __init__(self, settings: Settings, app: Celery, engines: Engines | None) -> None:
        self._settings = settings
        self._app = app
        self._engines = engines
        self._opened: Future[None] = Future()
        self._thread = Thread(target=self._run, name="jobs", daemon=True)
        self._stopping = False

    def start(self) -> None:
        """Open the store, load the engines.

        Raises:
            ConfigError: the settings cannot be used here.
        """
        self._thread.start()
        self._opened.result()

    def work(self) -> None:
        """Work on jobs until there are none, or `stop`."""
        if not self._stopping:
            working = asyncio.run_coroutine_threadsafe(self._work(), self._loop)
            try:
                working.result()
            except CancelledError:
                _log.debug("stopped before there was any work")

    def stop(self) -> None:
        """Stop all jobs, which wait again for other workers. It does not wait for that."""
        self._stopping = True
        self._loop.call_soon_threadsafe(self._over.set)

    def close(self) -> None:
        """Stop, and wait until all is closed."""
        if not self._stopping:
            self.stop()
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:
            if self._opened.done():
                raise
            self._opened.set_exception(error)

    async def _main(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        async with self._parts() as (self._worker, self._others):
            self._opened.set_result(None)
            await self._over.wait()

    @asynccontextmanager
    async def _parts(self) -> AsyncIterator[tuple[Worker, OnCelery]]:
        settings = self._settings
        async with AsyncExitStack() as stack:
            shared = await stack.enter_async_context(cluster.opened(settings.cluster))
            assert shared is not None
            lease = settings.cluster.lease
            kept = await stack.enter_async_context(store.opened(settings.store, shared.run, lease))
            assert kept is not None
            service = await stack.enter_async_context(
                opening.opened(settings, self._engines, kept.keeper, kept.users.terms_of, shared)
            )
            service.hub.publish = (await shared.news("sessions")).publish
            assert kept.replicas is not None
            await stack.enter_async_context(kept.replicas.kept(service.hub))
            news = await shared.news("jobs")
            claims = Claims(kept.database, lease, settings.jobs.attempts)
            others = OnCelery(self._app, claims, settings.engine)
            worker = Worker(
                service, kept, claims, shared.run, lambda job: news.publish(job_message(job))
            )
            await others.start()
            stack.push_async_callback(others.close)
            await worker.start()
            stack.push_async_callback(worker.close)
            yield worker, others

    async def _work(self) -> None:
        """Work on one job after the other. Whatever more can be begun is for others."""
        try:
            while running := await self._worker.begin():
                self._others.submit()
                await running.task
        except StoreError as fault:
            _log.warning("no job can be taken: %s", fault)
        else:
            self._others.submit()


def unusable(error: ConfigError) -> SystemExit:
    """The end of a program whose configuration cannot be used, which is said."""
    sys.stderr.write(f"{error}\n")
    return SystemExit(_UNUSABLE)


def run(settings: Settings, engines: Engines | None = None) -> int:
    """Work on jobs until SIGTERM or SIGINT; the exit code. Args as `worker`."""
    # They tell workers of each other, and make a start one second longer.
    alone = {"without_mingle": True, "without_gossip": True}
    program = worker(settings, engines).Worker(quiet=True, **alone)
    program.start()
    return program.exitcode or 0


def worker(settings: Settings, engines: Engines | None = None) -> Celery:
    """The application of a worker with these settings, whose task works on jobs.

    Args:
        engines: used as they are; None loads those of the settings.
    """
    app = application(settings)
    process = Process(settings, app, engines)

    @app.task(name=TASK)  # type: ignore[untyped-decorator]
    def work() -> None:
        process.work()

    def start(**_: Any) -> None:
        try:
            process.start()
        except ConfigError as error:
            raise unusable(error) from error

    def log(**_: Any) -> None:
        logs.to_stderr(settings.log.level, settings.log.format)

    # Celery would write the log in a form of its own, where it is not told of another one.
    signals.setup_logging.connect(log, weak=False)
    signals.worker_init.connect(start, weak=False)
    signals.worker_shutting_down.connect(lambda **_: process.stop(), weak=False)
    signals.worker_shutdown.connect(lambda **_: process.close(), weak=False)
    return app
