"""`/docs` and `/redoc`: the reference of the REST API, without a request to any other host.

FastAPI's own pages load Swagger UI and Redoc from a content delivery network, and start them with
an inline script. Here both programs come from the package fastapi-standalone-docs.
"""

from pathlib import Path
from typing import Any

import fastapi_standalone_docs
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles

from coqui_server.web.pages import root, templates

_ASSETS = Path(fastapi_standalone_docs.__file__).parent / "static"


def router() -> APIRouter:
    """The two pages, and the description of the API that they load."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/docs")
    async def swagger(request: Request) -> Response:
        return templates.TemplateResponse(request, "swagger.html")

    @routes.get("/redoc")
    async def redoc(request: Request) -> Response:
        return templates.TemplateResponse(request, "redoc.html")

    @routes.get("/openapi.json")
    async def description(request: Request) -> dict[str, Any]:
        app: FastAPI = request.app
        return {**app.openapi(), "servers": [{"url": root(request) or "/"}]}

    return routes


def mount_assets(app: FastAPI) -> None:
    """The files of the two programs, each below its page, where Redoc looks for its pictures."""
    app.mount("/docs", StaticFiles(directory=_ASSETS / "swagger"))
    app.mount("/redoc", StaticFiles(directory=_ASSETS / "redoc"))
