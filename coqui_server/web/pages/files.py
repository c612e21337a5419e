"""`/files`: upload files, and watch the queue."""

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

from coqui_server.config.audio import ChannelMode
from coqui_server.transcription.service import Service
from coqui_server.web.pages import templates

_CHANNELS: Mapping[str, ChannelMode] = {
    "as they are": "auto",
    "together": "mix",
    "each by itself": "split",
}
"""What becomes of the channels of a file, by what people call it."""


_SPEAKERS: Mapping[str, str] = {
    "not told apart": "off",
    "told apart": "auto",
    **{f"{count} of them": str(count) for count in range(2, 7)},
}
"""What becomes of the people on one channel, by what people call it; the setting is added."""


def router(service: Service) -> APIRouter:
    """The page of the queue."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/files")
    async def files(request: Request) -> Response:
        told = str(service.settings.speakers)
        engines = [engine.name for engine in service.engines]
        shown = {
            "engines": engines,
            "limit": service.settings.jobs.max_size,
            "channels": _CHANNELS,
            "usual": service.settings.audio.channels,
            "speakers": {**_SPEAKERS, _called(told): told},
            "told": told,
        }
        return templates.TemplateResponse(request, "files.html", shown)

    return routes


def _called(speakers: str) -> str:
    """What people call a value of the setting."""
    known = {wish: name for name, wish in _SPEAKERS.items()}
    return known.get(speakers, f"{speakers} of them")
