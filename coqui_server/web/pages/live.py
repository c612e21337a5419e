"""`/`: live transcription of the microphone."""

from fastapi import APIRouter, Request, Response

from coqui_server.transcription.service import Service
from coqui_server.web.pages import templates, wishes


def router(service: Service) -> APIRouter:
    """The page with the microphone."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/")
    async def live(request: Request) -> Response:
        return templates.TemplateResponse(request, "live.html", wishes.fields(service))

    return routes
