"""`/`: live transcription of the microphone."""

from fastapi import APIRouter, Request, Response

from coqui_server.transcription.service import Service
from coqui_server.web.pages import templates


def router(service: Service) -> APIRouter:
    """The page with the microphone."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/")
    async def live(request: Request) -> Response:
        engines = [engine.name for engine in service.engines]
        return templates.TemplateResponse(request, "live.html", {"engines": engines})

    return routes
