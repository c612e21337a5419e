"""Works on jobs in this process, whichever backend begins them.

A job is taken with a lease, which one task renews for all jobs that run here. The same statement
stores how far they are, and tells whether one was cancelled, or taken away after this process was
held up for longer than the lease.
"""

import asyncio
import logging

from coqui_server.exceptions import Busy, RequestError, StoreError, TakenOver
from coqui_server.jobs.backend import Tell
from coqui_server.jobs.running import RunningJob
from coqui_server.jobs.work import transcribe_job
from coqui_server.store import Store
from coqui_server.store.claims import Claims
from coqui_server.store.tables import JobRow
from coqui_server.transcription.service import Service

PAUSE = 1.0
"""Seconds before a store that failed, or a server without room, is tried again."""

_BEAT = 0.5
"""Seconds between two renewals: a cancellation is heard within a second."""

_log = logging.getLogger(__name__)


class Worker:
    """Begins and ends jobs, any number side by side, from `start` to `close`.

    Args:
        name: what the table calls it.
        tell: is told each change of a job.
    """

    def __init__(
        self, service: Service, store: Store, claims: Claims, name: str, tell: Tell
    ) -> None:
        self._service = service
        self._store = store
        self._claims = claims
        self._name = name
        self._tell = tell
        self._running: dict[int, RunningJob] = {}
        self._closing = False

    async def start(self) -> None:
        """Renew leases from now on."""
        self._heart = asyncio.create_task(self._beat(), name="leases")

    async def close(self) -> None:
        """Stop all jobs, which wait again."""
        self._closing = True
        ending = list(self._running.values())
        for running in ending:
            running.stop()
        await asyncio.gather(*(running.task for running in ending))
        self._heart.cancel()
        await asyncio.gather(self._heart, return_exceptions=True)

    async def begin(self) -> RunningJob | None:
        """Begin the next job, whose `task` ends with it; None if none can be begun.

        Raises:
            StoreError: the table cannot be read or written.
        """
        if self._closing:
            return None
        engines = [engine.name for engine in self._service.engines]
        job = await self._claims.take(self._name, engines)
        if job is None:
            return None
        running = self._running[job.id] = RunningJob(job)
        running.work = asyncio.create_task(self._work(running))
        running.task = asyncio.create_task(self._finish(running))
        return running

    def cancel(self, id: int) -> None:
        """Stop a job that its owner does not want any more, if it runs here."""
        if running := self._running.get(id):
            running.cancelled = True
            running.stop()

    async def _work(self, running: RunningJob) -> None:
        def advance(share: float) -> None:
            if running.advance(share):
                self._tell(running.job)

        while True:
            try:
                return await transcribe_job(
                    self._service, self._store, running.job, running.token, advance
                )
            except Busy as full:
                _log.info("job %d: waits: %s", running.job.id, full)
                await asyncio.sleep(PAUSE)

    async def _finish(self, running: RunningJob) -> None:
        """Store how a job ended."""
        self._tell(running.job)
        await asyncio.wait((running.work,))
        job = await self._stored(running)
        del self._running[running.job.id]
        if job:
            _log.info("job %d: %s", job.id, job.state)
            self._tell(job)

    async def _stored(self, running: RunningJob) -> JobRow | None:
        """Store how a job ended, as soon as the store can. None if it is another worker's, or this
        one closes before: its lease then ends."""
        while True:
            try:
                return await self._end(running)
            except TakenOver:
                _log.warning("job %d: another worker does it now", running.job.id)
                return None
            except StoreError as fault:
                _log.warning("job %d: its end is not stored yet: %s", running.job.id, fault)
            if self._closing:
                return None
            await asyncio.sleep(PAUSE)

    async def _end(self, running: RunningJob) -> JobRow:
        if running.taken:
            raise TakenOver
        token, work = running.token, running.work
        fault = None if work.cancelled() else work.exception()
        if fault is None and not work.cancelled():
            return await self._claims.end(token, "completed")
        if running.cancelled:
            return await self._claims.end(token, "cancelled")
        if self._closing:
            return await self._claims.end(token, "pending")
        if isinstance(fault, StoreError) and not (fault.full or fault.refused):
            return await self._claims.lose(token, str(fault))
        if isinstance(fault, RequestError):
            return await self._claims.end(token, "failed", str(fault))
        _log.error("job %d: failed", running.job.id, exc_info=fault)
        return await self._claims.end(token, "failed", "an internal error; see the log")

    async def _beat(self) -> None:
        """Renew the leases of what runs here, and stop what is to end."""
        while True:
            await asyncio.sleep(_BEAT)
            if self._running:
                try:
                    await self._renew()
                except StoreError as fault:
                    _log.warning("leases are not renewed: %s", fault)

    async def _renew(self) -> None:
        asked = list(self._running.values())
        kept = await self._claims.renew([running.report for running in asked])
        for running in asked:
            if running.token not in kept and not running.work.done():
                running.taken = True
                running.stop()
            elif kept.get(running.token):
                self.cancel(running.job.id)
