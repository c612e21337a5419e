"""Jobs in the daemon's own process: those of all users side by side."""

import asyncio
import logging

from coqui_server.exceptions import StoreError
from coqui_server.jobs.worker import PAUSE, Worker

_log = logging.getLogger(__name__)


class Local:
    """The backend of one machine.

    Args:
        recover: take over what ran when a worker of this name, or of any, died.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._changes = asyncio.Event()

    async def start(self) -> None:
        """Begin what waits, and what a daemon that died left."""
        await self._worker.start()
        self._changes.set()
        self._dispatcher = asyncio.create_task(self._dispatch(), name="jobs")

    def submit(self) -> None:
        self._changes.set()

    def cancel(self, id: int) -> None:
        self._worker.cancel(id)

    async def close(self) -> None:
        """Stop. The next daemon starts running jobs again."""
        self._dispatcher.cancel()
        await asyncio.gather(self._dispatcher, return_exceptions=True)
        await self._worker.close()

    async def _dispatch(self) -> None:
        """Begin the jobs that can be begun, after each change."""
        while True:
            await self._changes.wait()
            self._changes.clear()
            try:
                while running := await self._worker.begin():
                    running.task.add_done_callback(lambda _: self._changes.set())
            except StoreError as fault:
                _log.warning("the queue waits: %s", fault)
                await asyncio.sleep(PAUSE)
                self._changes.set()
