"""`/files`: upload files, and watch the queue."""

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

from coqui_server.config.audio import ChannelMode
from coqui_server.transcription.service import Service
from coqui_server.web.pages import templates, wishes

_CHANNELS: Mapping[str, ChannelMode] = {
    "as they are": "auto",
    "together": "mix",
    "each by itself": "split",
}
"""What becomes of the channels of a file, by what people call it."""


def router(service: Service) -> APIRouter:
    """The page of the queue."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/files")
    async def files(request: Request) -> Response:
        shown = {
            **wishes.fields(service),
            "limit": service.settings.jobs.max_size,
            "channels": _CHANNELS,
            "usual": service.settings.audio.channels,
        }
        return templates.TemplateResponse(request, "files.html", shown)

    return routes
