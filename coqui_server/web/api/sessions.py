"""`/api/sessions`: search, read, edit, export and delete stored sessions, and play their sound."""

import asyncio
import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from starlette.status import HTTP_204_NO_CONTENT

from coqui_server import exports
from coqui_server.config.audio import Kind
from coqui_server.exceptions import NotFound
from coqui_server.store import Store
from coqui_server.store.recordings import Recorded
from coqui_server.web import peaks, transcripts
from coqui_server.web.api import shapes
from coqui_server.web.numbers import Id, Offset
from coqui_server.web.principals import CurrentPrincipal
from coqui_server.web.ranged import ranged

_MOST = 200
"""Sessions on a page."""

_MOST_PEAKS = 4000

Format = StrEnum("Format", [(name, name) for name in exports.FORMATS])  # type: ignore[misc]


def router(store: Store) -> APIRouter:
    """The routes of the sessions in this store."""
    routes = APIRouter(prefix="/api/sessions", tags=["sessions"])
    # A long export takes seconds of Python: one at a time leaves the interpreter to live sessions.
    exporting = asyncio.Lock()

    @routes.get("/")
    async def find(
        asking: CurrentPrincipal,
        q: Annotated[str, Query(description="words, all of which are in its text")] = "",
        kind: Kind | None = None,
        owner: Annotated[
            str | None, Query(description="for those who see others' sessions")
        ] = None,
        since: datetime | None = None,
        until: datetime | None = None,
        offset: Offset = 0,
        limit: Annotated[int, Query(ge=1, le=_MOST)] = 50,
    ) -> shapes.Sessions:
        """Sessions, newest first."""
        page = await store.sessions.find(
            asking.scope,
            text=q,
            kind=kind,
            owner=owner,
            since=since,
            until=until,
            offset=offset,
            limit=limit,
        )
        return shapes.Sessions.of(page, offset)

    @routes.get("/{id}")
    async def read(asking: CurrentPrincipal, id: str) -> shapes.Session:
        """A session with its segments."""
        return shapes.Session.of(await store.sessions.get(asking.scope, id))

    @routes.delete("/{id}", status_code=HTTP_204_NO_CONTENT)
    async def delete(asking: CurrentPrincipal, id: str) -> None:
        """Delete a session and its recording."""
        await store.sessions.delete(asking.scope, id)

    @routes.patch("/{id}/segments/{segment}")
    async def edit(
        asking: CurrentPrincipal, id: str, segment: Id, edit: shapes.Edit
    ) -> shapes.Segment:
        """Replace the text of a segment; the engine's text is kept as `original`."""
        return shapes.Segment.of(await store.sessions.edit(asking.scope, id, segment, edit.text))

    @routes.patch("/{id}/speakers/{speaker}")
    async def name(
        asking: CurrentPrincipal, id: str, speaker: str, naming: shapes.Naming
    ) -> shapes.Session:
        """Give a speaker, as segments have it, a name in this session; an empty one takes it
        away. Pages and exports have the name."""
        row = await store.sessions.name(asking.scope, id, speaker, naming.name.strip())
        return shapes.Session.of(row)

    @routes.get("/{id}/audio", response_class=FileResponse)
    async def audio(asking: CurrentPrincipal, request: Request, id: str) -> Response:
        """Its recording, a WAV file, with `Range` requests."""
        recorded, headers = await _recording(store, asking, id), _inline(f"{id}.wav")
        if recorded.path:
            return FileResponse(recorded.path, media_type="audio/wav", headers=headers)
        return ranged(recorded.size, recorded.read, request.headers.get("range"), headers)

    @routes.get("/{id}/peaks")
    async def levels(
        asking: CurrentPrincipal, id: str, count: Annotated[int, Query(ge=1, le=_MOST_PEAKS)] = 600
    ) -> shapes.Peaks:
        """The levels of its recording, for a waveform picture."""
        await _recording(store, asking, id)
        async with store.sessions.recordings.local(id) as path:
            return shapes.Peaks(peaks=await asyncio.to_thread(peaks.peaks, path, count))

    @routes.get("/{id}/export", response_class=Response)
    async def export(asking: CurrentPrincipal, id: str, format: Format) -> Response:
        """Its transcript as a file."""
        document = transcripts.document(await store.sessions.get(asking.scope, id))
        made = exports.FORMATS[format]
        async with exporting:
            data = await asyncio.to_thread(made.render, document)
        answer = Response(data, media_type=made.media_type)
        name = f"{document.title}.{made.extension}"
        answer.headers["Content-Disposition"] = attachment(name)
        return answer

    return routes


def attachment(name: str) -> str:
    """The header that has a file saved under this name (RFC 6266), whatever it contains.

    Browsers read `filename*`. curl reads `filename` alone and takes its bytes as they are, so they
    are UTF-8 here; headers are sent as Latin-1.
    """
    plain = re.sub(r'[\x00-\x1f\x7f"\\/]', "_", name).encode().decode("latin-1")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _inline(name: str) -> dict[str, str]:
    return {"Content-Type": "audio/wav", "Content-Disposition": f'inline; filename="{name}"'}


async def _recording(store: Store, asking: CurrentPrincipal, id: str) -> Recorded:
    """The sound of a session, if the principal may play it.

    Raises:
        NotFound: there is no such session, or it has no recording.
    """
    row = await store.sessions.get(asking.scope, id)
    recorded = await store.sessions.recordings.find(row.id)
    if recorded is None:
        raise NotFound(f"no recording of session {id} is kept")
    return recorded
