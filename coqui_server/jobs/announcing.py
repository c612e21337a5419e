"""Work announced to Celery's workers on any machine, over Redis.

A message says only that there is work for an engine. The table of jobs says which, so a message
may come late, twice or never: what waits is announced again.
https://docs.celeryq.dev/en/stable/userguide/configuration.html
"""

import asyncio
import logging
from typing import Any

from celery import Celery
from kombu.entity import Exchange, Queue
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from coqui_server.backoff import backoff
from coqui_server.config.settings import Settings
from coqui_server.exceptions import ClusterFault, StoreError
from coqui_server.store.claims import Claims

TASK = "coqui_server.work"

_MOST = 16
"""Messages that may wait for workers of an engine. A worker takes jobs as long as there are any, so
more would not do more; and where no worker is, they must not fill Redis."""

_PATIENCE = 5.0
"""Seconds to wait for Redis."""

_PAUSE, _LONGEST_PAUSE = 0.2, 2.0
"""Seconds before Redis is tried again: at first, and at most."""

_log = logging.getLogger(__name__)


def application(settings: Settings) -> Celery:
    """Celery's application, for those who announce work and those who do it."""
    app = Celery("coqui_server", broker=_broker(settings), set_as_current=False)
    engines = dict.fromkeys((settings.engine, *settings.engines.enabled))
    transport = {
        "socket_timeout": _PATIENCE,
        "socket_connect_timeout": _PATIENCE,
        "global_keyprefix": "coqui:celery:",
        # What is dealt with is in the table. Redis would not take note of it when it is full, and
        # the worker would wait for that for ever.
        "ack_emulation": False,
    }
    app.conf.update(
        task_queues=[_queue(engine) for engine in engines],
        task_acks_late=True,
        task_ignore_result=True,
        # Threads, because an engine is loaded once for all jobs of a process.
        worker_pool="threads",
        worker_concurrency=settings.jobs.per_worker,
        # With late acknowledgement: a busy worker keeps no message from one that is idle.
        worker_prefetch_multiplier=1,
        worker_redirect_stdouts=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_transport_options=transport,
    )
    return app


class OnCelery:
    """The backend of several machines: announces work, and does none itself.

    Args:
        engine: the default one.
    """

    def __init__(self, app: Celery, claims: Claims, engine: str) -> None:
        self._app = app
        self._claims = claims
        self._engine = engine
        self._wanted = asyncio.Event()

    async def start(self) -> None:
        """Announce what waits."""
        self._wanted.set()
        self._announcing = asyncio.create_task(self._announce_for_ever(), name="work for Celery")

    def submit(self) -> None:
        self._wanted.set()

    def cancel(self, id: int) -> None:
        """Its worker learns it when it renews its lease, within a second."""

    async def close(self) -> None:
        self._announcing.cancel()
        await asyncio.gather(self._announcing, return_exceptions=True)
        await asyncio.to_thread(self._app.close)

    async def _announce_for_ever(self) -> None:
        failures = 0
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                for engine in await self._claims.engines_wanted():
                    await asyncio.to_thread(_announce, self._app, engine or self._engine)
                failures = 0
            except (ClusterFault, StoreError) as fault:
                failures += 1
                if failures == 1:
                    _log.warning("workers are not told of files that wait: %s", fault)
                await asyncio.sleep(backoff(failures, _PAUSE, _LONGEST_PAUSE))
                self._wanted.set()


def _announce(app: Celery, engine: str) -> None:
    """Tell a worker that has this engine. It blocks.

    Raises:
        ClusterFault: Redis cannot be reached, or takes nothing.
    """
    queue = _queue(engine)
    try:
        with app.producer_pool.acquire(block=True) as producer:
            if _waiting(producer.channel, queue) < _MOST:
                app.send_task(TASK, queue=queue, producer=producer, retry=False)
    except (KombuError, RedisError, OSError) as error:
        raise ClusterFault(f"Redis cannot be used: {error}") from error


def _waiting(channel: Any, queue: Queue) -> int:
    """Messages in a queue."""
    try:
        return int(channel.queue_declare(queue.name, passive=True).message_count)
    except channel.connection.channel_errors:
        return 0


def _queue(engine: str) -> Queue:
    """Where the workers of an engine are told of work."""
    return Queue(engine, Exchange(engine), routing_key=engine)


def _broker(settings: Settings) -> str:
    """The address of Redis as Celery has it."""
    assert settings.cluster.url is not None
    return settings.cluster.url.replace("unix://", "redis+socket://", 1)
