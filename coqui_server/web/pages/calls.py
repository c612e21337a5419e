"""`/calls`: the live transcripts of calls."""

from fastapi import APIRouter, Request, Response

from coqui_server.rtp.listener import Listener
from coqui_server.web.pages import templates


def router(rtp: Listener) -> APIRouter:
    """The page of calls."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/calls")
    async def calls(request: Request) -> Response:
        host = rtp.settings.advertise or rtp.settings.host
        address = f"{host}:{rtp.shared.number}" if rtp.shared else None
        return templates.TemplateResponse(request, "calls.html", {"address": address})

    return routes
