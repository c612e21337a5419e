"""The queue of files: one at a time for each user, users side by side.

The table of jobs is the truth, whatever the backend: a job is a row, and while it runs a lease of
its worker. A worker that dies leaves a row whose lease ends, and the job waits again.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, suppress
from typing import Self

from coqui_server.exceptions import NotFound, RequestError, StoreError
from coqui_server.jobs import kept_wishes
from coqui_server.jobs.backend import Backend
from coqui_server.jobs.notices import Notices
from coqui_server.jobs.running import job_message
from coqui_server.principal import EVERYBODY, Scope, owner_filter
from coqui_server.store import Store
from coqui_server.store.claims import Claims
from coqui_server.store.tables import JobRow, JobState
from coqui_server.store.uploads import Upload
from coqui_server.transcription.hub import Subscription
from coqui_server.transcription.messages import Message
from coqui_server.transcription.service import Service
from coqui_server.transcription.wishes import NOTHING, FileWishes

_LOOK, _PATIENCE = 0.05, 10.0
"""Seconds between two looks at a job that is to stop, and until nobody waits for that any more."""

_SWEEPS = 4
"""Looks for lost workers in the time of a lease."""

_log = logging.getLogger(__name__)


class Queue:
    """The jobs as their owners use them. Use as an async context manager.

    Args:
        backend: works on the jobs.
        notices: tells those who look on.
    """

    def __init__(
        self,
        service: Service,
        store: Store,
        claims: Claims,
        backend: Backend,
        notices: Notices,
    ) -> None:
        self._service = service
        self._settings = service.settings.jobs
        self._name = service.settings.cluster.name
        self._period = service.settings.cluster.lease / _SWEEPS
        self._jobs = store.jobs
        self._uploads = store.uploads
        self._claims = claims
        self._backend = backend
        self._notices = notices
        # What was open at the last look.
        self._open: Mapping[int, tuple[JobState, int]] = {}

    async def __aenter__(self) -> Self:
        await self._backend.start()
        self._sweeper = asyncio.create_task(self._sweep(), name="jobs of the lost")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop. Jobs that run in this process wait again."""
        self._sweeper.cancel()
        await asyncio.gather(self._sweeper, return_exceptions=True)
        await self._backend.close()
        self._notices.close()

    def receive(self) -> AbstractAsyncContextManager[Upload]:
        """A file that is being uploaded, of at most `jobs.max_size`. It is deleted after the block
        unless it was added."""
        return self._uploads.receive(self._settings.max_size)

    async def add(
        self,
        upload: Upload,
        owner: str | None,
        name: str,
        *,
        engine: str | None = None,
        language: str | None = None,
        wishes: FileWishes = NOTHING,
    ) -> JobRow:
        """Add an uploaded file at the end of the queue.

        Raises:
            BadRequest: no such engine, or it does not know the language.
            NotAudio: the file is empty.
            Busy: its owner has `jobs.max_waiting` in the queue.
            StoreError: it cannot be kept.
        """
        self._service.engines.get(engine, language)
        await upload.keep()
        try:
            job = await self._jobs.add(
                self._settings.max_waiting,
                owner=owner,
                name=name,
                engine=engine,
                language=language,
                upload=upload.name,
                size=upload.size,
                **kept_wishes.columns(wishes),
            )
        except RequestError:
            await self._uploads.remove(upload.name)
            raise
        self._changed(job)
        return job

    async def find(self, scope: Scope, *, offset: int = 0, limit: int = 100) -> list[Message]:
        """The newest jobs first, as `message` has them."""
        rows = await self._jobs.find(scope, offset=offset, limit=limit)
        return [job_message(row) for row in rows]

    async def get(self, scope: Scope, id: int) -> Message:
        """One job.

        Raises:
            NotFound: there is none in this scope.
        """
        return job_message(await self._jobs.get(scope, id))

    async def cancel(self, scope: Scope, id: int) -> Message:
        """Stop a job and wait for its end, but no longer than its worker may need to hear of it. A
        job that has ended stays as it is. Raises as `get`."""
        job = await self._jobs.cancel(scope, id)
        if job.state == "processing":
            self._backend.cancel(id)
            job = await self._ended(scope, id)
        else:
            self._changed(job)
        return job_message(job)

    async def _ended(self, scope: Scope, id: int) -> JobRow:
        """A job that is to stop, when it has, or when its worker does not seem to hear of it."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + _PATIENCE
        while True:
            job = await self._jobs.get(scope, id)
            if job.state != "processing" or clock() > deadline:
                return job
            await asyncio.sleep(_LOOK)

    async def retry(self, scope: Scope, id: int) -> Message:
        """Make a failed or cancelled job pending again.

        Raises:
            NotFound: as `get`.
            StillRunning: it waits or runs already.
        """
        job = await self._jobs.retry(scope, id)
        self._changed(job)
        return job_message(job)

    async def delete(self, scope: Scope, id: int) -> None:
        """Delete a job that has ended, and its file. Raises as `retry`."""
        job = await self._jobs.delete(scope, id)
        await self._uploads.remove(job.upload)
        self._notices.tell({**job_message(job), "state": "deleted"})

    def subscribed(self, scope: Scope) -> AbstractContextManager[Subscription]:
        """The messages of the jobs in this scope, one at each change."""
        return self._notices.subscribed(owner_filter(scope))

    def _changed(self, job: JobRow) -> None:
        self._notices.tell(job_message(job))
        self._backend.submit()

    async def _sweep(self) -> None:
        """Find what nobody tells: workers that are lost, work that no worker has heard of, and
        changes while others cannot be heard."""
        while True:
            await asyncio.sleep(self._period)
            try:
                for job in await self._claims.expire(besides=self._name):
                    _log.warning("job %d: the worker %s was lost", job.id, job.worker)
                    self._notices.tell(job_message(job))
                await self._catch_up()
            except StoreError as fault:
                _log.debug("nobody looks for lost workers: %s", fault)
            self._backend.submit()

    async def _catch_up(self) -> None:
        before, self._open = self._open, await self._jobs.open()
        changed = {id for id, state in self._open.items() if before.get(id) != state}
        if self._notices.deaf:
            for id in changed | before.keys() - self._open.keys():
                with suppress(NotFound):
                    self._notices.tell_here(job_message(await self._jobs.get(EVERYBODY, id)))
