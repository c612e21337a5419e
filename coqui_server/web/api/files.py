"""`/api/files`: uploaded files and their jobs."""

import sys
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, Field
from starlette.status import HTTP_201_CREATED

from coqui_server.auth.access import Access
from coqui_server.config.audio import ChannelMode
from coqui_server.config.text import TextFormat
from coqui_server.exceptions import StillRunning
from coqui_server.jobs.queue import Queue
from coqui_server.jobs.running import job_message
from coqui_server.store.tables import JobState
from coqui_server.transcription.messages import Message
from coqui_server.transcription.service import Service
from coqui_server.web.forms import MOST_FILES, UploadForm
from coqui_server.web.numbers import Id, Offset
from coqui_server.web.principals import CurrentPrincipal

_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "engine": {"type": "string"},
                        "language": {"type": "string"},
                        "track": {"type": "integer", "minimum": 1},
                        "channels": {"type": "string", "enum": list(get_args(ChannelMode))},
                        "encoding": {"type": "string"},
                        "sample_rate": {"type": "integer"},
                        "format": {"type": "string", "enum": ["verbatim", "readable"]},
                        "speakers": {"type": "string"},
                        "terms": {"type": "string"},
                        "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
                    },
                }
            }
        },
    }
}


class File(BaseModel):
    """A file in the queue, or one that has ended."""

    id: int
    owner: str | None
    name: str
    size: int = Field(description="bytes")
    engine: str | None = Field(description="that was asked for; null is the default one")
    language: str | None
    track: int | None = Field(description="the sound track that was asked for")
    channels: ChannelMode | None = Field(description="that was asked for")
    encoding: str | None = Field(description="of a file without a header")
    sample_rate: int | None = Field(description="hertz, of a file without a header")
    format: TextFormat | None = Field(description="of the text, as it was asked for")
    speakers: str | None = Field(description="whether they are told apart, as it was asked for")
    state: JobState | Literal["deleted"]
    error: str | None = Field(description="why it failed")
    session: str | None = Field(description="its transcript, once it is begun")
    warnings: list[dict[str, str]] = Field(description="why its text may miss something")
    created: datetime
    percent: int = Field(description="how much of it is done")
    left: float | None = Field(description="seconds the rest will take, if known")


def router(service: Service, queue: Queue) -> APIRouter:
    """The routes of the queue."""
    routes = APIRouter(prefix="/api/files", tags=["files"])

    # No limit for the whole form: each file in it has its own limit.
    @routes.post("", status_code=HTTP_201_CREATED, max_body_size=sys.maxsize, openapi_extra=_FORM)
    async def hand_in(
        asking: CurrentPrincipal,
        request: Request,
        engine: str | None = None,
        language: str | None = None,
        track: str | None = None,
        channels: str | None = None,
        encoding: str | None = None,
        sample_rate: str | None = None,
        format: str | None = None,
        speakers: str | None = None,
        terms: str | None = None,
    ) -> list[File]:
        """Upload files: all of them are queued, or none. Form fields `engine`, `language`,
        `track`, `channels`, `encoding`, `sample_rate`, `format`, `speakers` and `terms` apply to
        the files after them; query parameters apply to all. Only a file without a header needs
        `encoding`, and perhaps `sample_rate`. `format` is that of the text: `verbatim` or
        `readable`. `speakers` are told apart: `off`, `auto` or their number. `terms` are names and
        terms to favour, with commas or line ends between them."""
        options = {
            "engine": engine,
            "language": language,
            "track": track,
            "channels": channels,
            "encoding": encoding,
            "sample_rate": sample_rate,
            "format": format,
            "speakers": speakers,
            "terms": terms,
        }
        form = UploadForm(service, queue, options)
        jobs = await form.take(request, asking)
        return [_shown(job_message(job)) for job in jobs]

    @routes.get("")
    async def show(
        asking: CurrentPrincipal,
        offset: Offset = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = MOST_FILES,
    ) -> list[File]:
        """The newest files first."""
        found = await queue.find(asking.scope, offset=offset, limit=limit)
        return [_shown(message) for message in found]

    @routes.get("/events", response_class=EventSourceResponse)
    async def follow(asking: CurrentPrincipal, request: Request) -> AsyncIterator[ServerSentEvent]:
        """The changes of files, as server-sent events named `job`. An event `missed` has the number
        of events that a slow reader did not get."""
        access: Access = request.app.state.access

        async def leave() -> None:
            news.close()

        with queue.subscribed(asking.scope) as news, access.presence.entered(asking, leave):
            async for message in news:
                yield ServerSentEvent(event=message["event"], data=message)

    @routes.get("/{id}")
    async def read(asking: CurrentPrincipal, id: Id) -> File:
        """One file."""
        return _shown(await queue.get(asking.scope, id))

    @routes.post("/{id}/retry")
    async def retry(asking: CurrentPrincipal, id: Id) -> File:
        """Queue a failed or cancelled file again."""
        return _shown(await queue.retry(asking.scope, id))

    @routes.delete("/{id}")
    async def delete(asking: CurrentPrincipal, id: Id) -> File:
        """Cancel a waiting or running file; it becomes `cancelled`. Delete a file that has ended;
        its session stays."""
        file = await queue.get(asking.scope, id)
        try:
            await queue.delete(asking.scope, id)
        except StillRunning:
            return _shown(await queue.cancel(asking.scope, id))
        return _shown({**file, "state": "deleted"})

    return routes


def _shown(message: Message) -> File:
    return File.model_validate(message)
