"""The work on one job: its file to its transcript, once."""

from collections.abc import Callable
from contextlib import aclosing

from coqui_server.exceptions import NotFound
from coqui_server.jobs import kept_wishes
from coqui_server.principal import EVERYBODY
from coqui_server.store import Store, uploads
from coqui_server.store.claims import Token
from coqui_server.store.interruption import end_of
from coqui_server.store.tables import JobRow
from coqui_server.transcription.events import Event, SessionStarted, UtteranceEnd
from coqui_server.transcription.files import transcribe
from coqui_server.transcription.service import Service

Advance = Callable[[float], None]
"""Takes what part of a file is done, 0 to 1."""


async def transcribe_job(
    service: Service, store: Store, job: JobRow, token: Token, advance: Advance
) -> None:
    """Make the transcript of a job, unless an earlier attempt did, and delete its file.

    Raises:
        TakenOver: the token is stale.
        RequestError: as `transcribe`.
    """
    if job.session is None or not await _finished(service, store, job.session):
        await _transcribe(service, store, job, token, advance)
    await store.uploads.remove(job.upload)


async def _finished(service: Service, store: Store, session: str) -> bool:
    """Whether a transcript is complete. One of a worker that was lost is removed."""
    try:
        row = await store.sessions.get(EVERYBODY, session)
    except NotFound:
        return False
    if row.state == "finished":
        return True
    await store.sessions.remove([session])
    if row.state == "running":
        await service.hub(end_of(row))
    return False


async def _transcribe(
    service: Service, store: Store, job: JobRow, token: Token, advance: Advance
) -> None:
    wishes = kept_wishes.wishes(job)
    async with store.uploads.local(job.upload) as path:
        duration = None if wishes.raw else await service.transcoder.duration(path)

        def passed(size: int) -> None:
            if duration is None:
                advance(size / job.size)

        async def follow(event: Event) -> None:
            if isinstance(event, SessionStarted):
                job.session = event.source.session
            elif isinstance(event, UtteranceEnd) and duration:
                advance(event.end / duration)

        async with aclosing(uploads.read(path, passed)) as chunks:
            await transcribe(
                service,
                chunks,
                path=path,
                engine=job.engine,
                language=job.language,
                wishes=wishes,
                label=job.name,
                owner=job.owner,
                keeper=store.keeper.fenced(token),
                sinks=[follow],
            )
