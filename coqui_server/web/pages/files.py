"""`/files`: upload files, and watch the queue."""

from fastapi import APIRouter, Request, Response

from coqui_server.transcription.service import Service
from coqui_server.web.pages import templates


def router(service: Service) -> APIRouter:
    """The page of the queue."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/files")
    async def files(request: Request) -> Response:
        engines = [engine.name for engine in service.engines]
        shown = {"engines": engines, "limit": service.settings.jobs.max_size}
        return templates.TemplateResponse(request, "files.html", shown)

    return routes
