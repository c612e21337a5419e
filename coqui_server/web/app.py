"""The console as one ASGI application: routers, pages, and what all of them share."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from coqui_server import __version__
from coqui_server.rtp.calls import Calls
from coqui_server.rtp.listener import Listener
from coqui_server.transcription.service import Service
from coqui_server.web import errors
from coqui_server.web.api import monitoring
from coqui_server.web.headers import Guard
from coqui_server.web.pages import live, reference

_STATIC = Path(__file__).parent / "static"


def build(service: Service, calls: Calls, rtp: Listener) -> FastAPI:
    """The application that `web.port` serves."""
    app = FastAPI(
        title="coqui_server",
        summary="Speech to text: sessions, files, calls.",
        version=__version__,
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(Guard, origins=service.settings.server.origins)
    errors.handle(app)
    app.include_router(monitoring.router(service, rtp))
    app.include_router(live.router(service))
    app.include_router(reference.router())
    app.mount("/static", StaticFiles(directory=_STATIC))
    reference.mount_assets(app)
    return app
