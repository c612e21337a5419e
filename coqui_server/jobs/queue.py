"""The queue of files: one at a time for each user, users side by side.

A job is a row and, while it runs, a task. A daemon that dies leaves rows with the state
`processing`. The next daemon makes them pending again, and removes their incomplete sessions.
"""

import asyncio
import logging
from contextlib import AbstractAsyncContextManager, AbstractContextManager, aclosing
from typing import Self

from coqui_server.config.audio import ChannelMode
from coqui_server.config.speakers import Speakers
from coqui_server.config.store import JobsSettings
from coqui_server.config.text import TextFormat
from coqui_server.exceptions import Busy, NotFound, RequestError, StoreError
from coqui_server.jobs.running import RunningJob, job_message
from coqui_server.media.raw import RawFormat
from coqui_server.principal import EVERYBODY, Scope, owner_filter
from coqui_server.store import Store, uploads
from coqui_server.store.tables import JobRow, JobState
from coqui_server.store.uploads import Upload
from coqui_server.transcription.diarization import speakers_wish
from coqui_server.transcription.events import Event, SessionStarted, UtteranceEnd
from coqui_server.transcription.files import transcribe
from coqui_server.transcription.hub import Announcer, Subscription
from coqui_server.transcription.messages import Message
from coqui_server.transcription.service import Service

_PAUSE = 1.0
"""Seconds before a store that failed, or a server without room, is tried again."""

_log = logging.getLogger(__name__)


class Queue:
    """The jobs as their owners use them. Use as an async context manager.

    Args:
        name: what this daemon is called in the table.
        backend: works on the jobs.
        announcer: tells those who look on.
    """

    def __init__(
        self,
        service: Service,
        store: Store,
        settings: JobsSettings,
        name: str,
        backend: Backend,
        announcer: Announcer,
    ) -> None:
        self._service = service
        self._jobs = store.jobs
        self._claims = store.claims
        self._uploads = store.uploads
        self._settings = settings
        self._name = name
        self._backend = backend
        self._announcer = announcer

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
        self._announcer.close()

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
        track: int | None = None,
        channels: ChannelMode | None = None,
        raw: RawFormat | None = None,
        format: TextFormat | None = None,
        speakers: Speakers | None = None,
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
                track=track,
                channels=channels,
                encoding=raw and raw.encoding,
                sample_rate=raw and raw.rate,
                format=format,
                speakers=None if speakers is None else str(speakers),
                upload=upload.name,
                size=upload.size,
            )
        except RequestError:
            await self._uploads.remove(upload.name)
            raise
        self._changed(job)
        return job

    async def find(self, scope: Scope, *, offset: int = 0, limit: int = 100) -> list[Message]:
        """The newest jobs first, as `message` has them."""
        rows = await self._jobs.find(scope, offset=offset, limit=limit)
        return [self.message(row) for row in rows]

    async def get(self, scope: Scope, id: int) -> Message:
        """One job.

        Raises:
            NotFound: there is none in this scope.
        """
        return self.message(await self._jobs.get(scope, id))

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
        """A job that is to stop, when it has, or when nobody seems to be there to stop it."""
        async with asyncio.timeout
    async def retry(self, scope: Scope, id: int) -> Message:
        """Make a failed or cancelled job pending again.

        Raises:
            NotFound: as `get`.
            StillRunning: it waits or runs already.
        """
        job = await self._jobs.retry(scope, id)
        self._changed(job)
        return self.message(job)

    async def delete(self, scope: Scope, id: int) -> None:
        """Delete a job that has ended, and its file. Raises as `retry`."""
        job = await self._jobs.delete(scope, id)
        await self._uploads.remove(job.upload)
        self._announcer.tell({**self.message(job), "state": "deleted"})

    def subscribed(self, scope: Scope) -> AbstractContextManager[Subscription]:
        """The messages of the jobs in this scope, one at each change."""
        return self._announcer.subscribed(owner_filter(scope))

    def message(self, job: JobRow) -> Message:
        """A job as JSON, with its progress."""
        return job_message(job, self._running.get(job.id))

    def _changed(self, job: JobRow) -> None:
        self._announcer.tell(self.message(job))
        self._changes.set()

    async def _dispatch(self) -> None:
        """Start the jobs that can start, after each change."""
        while not self._closing:
            self._changes.clear()
            try:
                while await self._start():
                    pass
            except StoreError as fault:
                _log.warning("the queue waits: %s", fault)
                await asyncio.sleep(_PAUSE)
            else:
                await self._changes.wait()

    async def _start(self) -> bool:
        """Start the next job, if there is one."""
        async with self._choosing:
            job = await self._jobs.next()
            if job is None:
                return False
            self._running[job.id] = running = RunningJob(job)
            running.work = asyncio.create_task(self._work(running))
            running.task = asyncio.create_task(self._finish(running))
        return True

    async def _finish(self, running: RunningJob) -> None:
        """Store how a job ended, and let the next one start."""
        self._announcer.tell(self.message(running.job))
        await asyncio.wait((running.work,))
        state, error = self._outcome(running)
        _log.info("job %d: %s", running.job.id, state)
        job = await self._stored(running.job.id, state, error)
        del self._running[running.job.id]
        if job:
            self._changed(job)

    def _outcome(self, running: RunningJob) -> tuple[JobState, str | None]:
        fault = None if running.work.cancelled() else running.work.exception()
        if fault is None and not running.work.cancelled():
            return "completed", None
        if running.stopped:
            return "cancelled", None
        if self._closing:
            return "pending", None
        if isinstance(fault, RequestError):
            return "failed", str(fault)
        _log.error("job %d: failed", running.job.id, exc_info=fault)
        return "failed", "an internal error; see the log"

    async def _stored(self, id: int, state: JobState, error: str | None) -> JobRow | None:
        """Store how a job ended. None if that fails until the queue closes: the next daemon then
        runs the job again."""
        while True:
            try:
                return await self._jobs.end(id, state, error)
            except StoreError as fault:
                _log.warning("job %d: its end is not stored yet: %s", id, fault)
            if self._closing:
                return None
            await asyncio.sleep(_PAUSE)

    async def _work(self, running: RunningJob) -> None:
        job = running.job
        while job.session is None or not await self._finished(job.session):
            try:
                await self._transcribe(running)
            except Busy as full:
                _log.info("job %d: waits: %s", job.id, full)
                await asyncio.sleep(_PAUSE)
        await self._uploads.remove(job.upload)

    async def _finished(self, session: str) -> bool:
        """Whether a transcript is complete. One that ended when the daemon died is removed."""
        try:
            if (await self._sessions.get(EVERYBODY, session)).state == "finished":
                return True
        except NotFound:
            return False
        await self._sessions.remove([session])
        return False

    async def _transcribe(self, running: RunningJob) -> None:
        job = running.job
        path = self._uploads.path(job.upload)
        raw = RawFormat(job.encoding, job.sample_rate) if job.encoding and job.sample_rate else None
        duration = None if raw else await self._service.transcoder.duration(path)

        def passed(size: int) -> None:
            if duration is None:
                self._progress(running, size / job.size)

        async def follow(event: Event) -> None:
            if isinstance(event, SessionStarted):
                job.session = event.source.session
                await self._jobs.attach(job.id, job.session)
            elif isinstance(event, UtteranceEnd) and duration:
                self._progress(running, event.end / duration)

        async with aclosing(uploads.read(path, passed)) as chunks:
            await transcribe(
                self._service,
                chunks,
                path=path,
                engine=job.engine,
                language=job.language,
                track=job.track,
                channels=job.channels,
                raw=raw,
                format=job.format,
                speakers=speakers_wish(job.speakers),
                label=job.name,
                owner=job.owner,
                sinks=[follow],
            )

    def _progress(self, running: RunningJob, share: float) -> None:
        """Send a message for each further per cent."""
        before, running.share = running.share, min(share, 1.0)
        if int(100 * running.share) > int(100 * before):
            self._announcer.tell(self.message(running.job))
