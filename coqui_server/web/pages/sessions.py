"""`/sessions`: search stored sessions; `/sessions/{id}`: read, play and edit one."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from coqui_server.config.audio import Kind
from coqui_server.store import Store
from coqui_server.web import transcripts
from coqui_server.web.pages import templates
from coqui_server.web.principals import CurrentPrincipal

_SHOWN = 30
"""Sessions on a page."""


def router(store: Store | None) -> APIRouter:
    """Both pages; without a store, the first says that nothing is stored."""
    routes = APIRouter(include_in_schema=False)
    if store is None:
        routes.get("/sessions")(_nothing)
        return routes

    @routes.get("/sessions")
    async def find(
        asking: CurrentPrincipal,
        request: Request,
        q: str = "",
        kind: Kind | Literal[""] = "",
        page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    ) -> Response:
        offset = (page - 1) * _SHOWN
        found = await store.sessions.find(
            asking.scope, text=q, kind=kind or None, offset=offset, limit=_SHOWN
        )
        about = {
            "sessions": found.sessions,
            "total": found.total,
            "titled": transcripts.titled,
            "q": q,
            "kind": kind,
            "page": page,
            "pages": max(1, -(-found.total // _SHOWN)),
        }
        return templates.TemplateResponse(request, "sessions.html", about)

    @routes.get("/sessions/{id}")
    async def read(asking: CurrentPrincipal, request: Request, id: str) -> Response:
        session = await store.sessions.get(asking.scope, id)
        about = {
            "session": session,
            "title": transcripts.titled(session),
            "speakers": list(dict.fromkeys(filter(None, (s.speaker for s in session.segments)))),
        }
        return templates.TemplateResponse(
            request, "session.html", {**about, "spans": transcripts.spans}
        )

    return routes


async def _nothing(request: Request) -> Response:
    return templates.TemplateResponse(request, "unkept.html")
