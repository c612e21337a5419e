"""Jobs in the daemon's own process: those of all users side by side."""

import asyncio
import logging

from coqui_server.exceptions import StoreError
from coqui_server.jobs.worker import PAUSE, Worker
from coqui_server.store.claims import Claims

_log = logging.getLogger(__name__)


class Local:
    """The backend of one machine.

    Args:
        left: whose jobs are begun again at the start, because that worker died; None: anybody's.
    """

    def __init__(self, worker: Worker, claims: Claims, left: str | None) -> None:
        self._worker = worker
        self._claims = claims
        self._left = left
        self._changes = asyncio.Event()
        self._closing = False

    async def start(self) -> None:
        await self._claims.recover(self._left)
        await self._worker.start()
        self._dispatcher = asyncio.create_task(self._dispatch(), name="jobs")

    def submit(self) -> None:
        self._changes.set()

    def cancel(self, id: int) -> None:
        self._worker.cancel(id)

    async def close(self) -> None:
        # Not cancelled: a job that is being taken would be nobody's.
        self._closing = True
        self._changes.set()
        await self._dispatcher
        await self._worker.close()

    async def _dispatch(self) -> None:
        """Begin the jobs that can be begun, after each change."""
        while not self._closing:
            self._changes.clear()
            try:
                while running := await self._worker.begin():
                    running.task.add_done_callback(lambda _: self._changes.set())
            except StoreError as fault:
                _log.warning("the queue waits: %s", fault)
                await asyncio.sleep(PAUSE)
            else:
                await self._changes.wait()
