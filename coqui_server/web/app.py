"""The console as one ASGI application: routers, pages, and what they share."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from coqui_server import __version__
from coqui_server.auth.attempts import Attempts
from coqui_server.store import uploads
from coqui_server.web import errors
from coqui_server.web.accounts import Accounts
from coqui_server.web.api import (
    calls,
    deepgram,
    files,
    monitoring,
    openai,
    sessions,
    unkept,
    whisper,
)
from coqui_server.web.headers import Guard
from coqui_server.web.one_file import Reception
from coqui_server.web.pages import account, accounts, live, reference, sign_in
from coqui_server.web.pages import calls as calls_page
from coqui_server.web.pages import files as files_page
from coqui_server.web.pages import sessions as session_pages
from coqui_server.web.parts import Parts
from coqui_server.web.principals import ADMINISTRATOR, SIGNED_IN

_STATIC = Path(__file__).parent / "static"

_MOST_JSON = 1_000_000
"""Bytes of a request body, except for files."""


def build(parts: Parts) -> FastAPI:
    """The application that `web.port` serves."""
    app = FastAPI(
        title="coqui_server",
        summary="Speech to text: sessions, files, calls.",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        max_body_size=_MOST_JSON,
    )
    app.state.access = parts.access
    settings = parts.service.settings
    app.add_middleware(Guard, settings=settings)
    app.state.kept = parts.store is not None
    errors.handle(app)
    app.include_router(monitoring.router(parts.service, parts.rtp, settings.auth))
    reception = _reception(parts)
    app.include_router(openai.router(parts.service, reception))
    app.include_router(whisper.router(parts.service, reception))
    app.include_router(deepgram.router(parts.service, parts.callbacks))
    app.include_router(calls.router(parts.calls), dependencies=[ADMINISTRATOR])
    if parts.store and parts.queue:
        app.include_router(sessions.router(parts.store))
        app.include_router(files.router(parts.service, parts.queue))
        app.include_router(files_page.router(parts.service), dependencies=[SIGNED_IN])
        if cookies := parts.access.cookies:
            people = Accounts(
                parts.store,
                parts.queue,
                parts.access.presence,
                settings.auth.signup,
                Attempts(parts.service.cluster),
            )
            app.include_router(sign_in.router(people, cookies))
            app.include_router(account.router(people, cookies))
            app.include_router(accounts.router(people), dependencies=[ADMINISTRATOR])
    else:
        app.include_router(unkept.router())
    app.include_router(live.router(parts.service), dependencies=[SIGNED_IN])
    app.include_router(session_pages.router(parts.store), dependencies=[SIGNED_IN])
    app.include_router(calls_page.router(parts.rtp), dependencies=[ADMINISTRATOR])
    app.include_router(reference.router(), dependencies=[] if settings.auth.docs else [SIGNED_IN])
    app.mount("/static", StaticFiles(directory=_STATIC))
    reference.mount_assets(app)
    return app


def _reception(parts: Parts) -> Reception:
    """Files are kept beside those of the queue, where there is one."""
    if parts.queue:
        return Reception(parts.service, parts.queue.receive)
    limit = parts.service.settings.jobs.max_size
    return Reception(parts.service, lambda: uploads.temporary(limit))
