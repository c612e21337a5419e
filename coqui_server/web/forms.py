"""Files that arrive in a form, written to the disk as they come, and queued when all are there."""

from codecs import getincrementaldecoder
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from fastapi import Request

from coqui_server.config.text import LONGEST_LIST
from coqui_server.exceptions import BadRequest, RequestError, TooLarge
from coqui_server.jobs.queue import Queue
from coqui_server.principal import Principal
from coqui_server.store.tables import JobRow
from coqui_server.store.uploads import Upload
from coqui_server.transcription.service import Service
from coqui_server.transcription.wishes import FileWishes
from coqui_server.web import bodies, multipart

MOST_FILES = 100
"""Files in one form."""

_LONGEST_FIELD = 200


@dataclass
class _Received:
    """A file of the form, and the options before it."""

    upload: Upload
    name: str
    engine: str | None
    language: str | None
    wishes: FileWishes


class UploadForm:
    """One form.

    Args:
        wishes: the options of files that have no fields of their own before them, by name.
    """

    def __init__(self, service: Service, queue: Queue, wishes: Mapping[str, str | None]) -> None:
        self._service = service
        self._queue = queue
        self._wishes = {name: value or None for name, value in wishes.items()}
        self._files: list[_Received] = []
        self._field: str | None = None
        # A long field comes in pieces, which may end within a character.
        self._decoder = getincrementaldecoder("utf-8")("replace")

    async def take(self, request: Request, principal: Principal) -> list[JobRow]:
        """Read the form to its end and queue its files, all or none.

        Raises:
            BadRequest: it is no form, has no files or other fields than ours, or asks for an
                engine that is not here.
            TooLarge: too many files, or one of too many bytes.
            NotAudio: a file is empty.
            Idle, GoingAway: the daemon waits no longer, as `Service.patience` has it.
            Busy: there is no room in the queue.
            StoreError: the disk refused, perhaps because it is full.
        """
        async with bodies.form(request, self._service) as parts, AsyncExitStack() as uploads:
            async for event in parts:
                await self._take(event, uploads)
            if not self._files:
                raise BadRequest("the form has no files")
            return await self._queued(principal)

    async def _take(self, event: multipart.Event, uploads: AsyncExitStack) -> None:
        match event:
            case multipart.Part(name, None):
                if name not in self._wishes:
                    problem = f'the form has files, {", ".join(self._wishes)}, no "{name}"'
                    raise BadRequest(problem)
                self._field, self._wishes = name, {**self._wishes, name: None}
                self._decoder.reset()
            case multipart.Part(_, str(name)):
                self._field = None
                await self._begin(name, uploads)
            case bytes() if self._field:
                value = (self._wishes[self._field] or "") + self._decoder.decode(event)
                longest = LONGEST_LIST if self._field == "terms" else _LONGEST_FIELD
                if len(value) > longest:
                    raise TooLarge(f"{self._field} may have {longest} characters")
                self._wishes[self._field] = value
            case bytes():
                await self._files[-1].upload.write(event)

    async def _begin(self, name: str, uploads: AsyncExitStack) -> None:
        """Begin another file; its options are checked before it is written."""
        if len(self._files) >= MOST_FILES:
            raise TooLarge(f"a form may have {MOST_FILES} files")
        engine, language = self._wishes["engine"], self._wishes["language"]
        self._service.engines.get(engine, language)
        wishes = FileWishes.of(self._wishes)
        upload = await uploads.enter_async_context(self._queue.receive())
        shown = bodies.shown_name(name)
        self._files.append(_Received(upload, shown, engine, language, wishes))

    async def _queued(self, principal: Principal) -> list[JobRow]:
        jobs: list[JobRow] = []
        try:
            for file in self._files:
                added = await self._queue.add(
                    file.upload,
                    principal.user,
                    file.name,
                    engine=file.engine,
                    language=file.language,
                    wishes=file.wishes,
                )
                jobs.append(added)
        except RequestError:
            for job in jobs:
                await self._queue.cancel(principal.scope, job.id)
                await self._queue.delete(principal.scope, job.id)
            raise
        return jobs
