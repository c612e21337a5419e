"""`/api/sessions` and `/api/files` where nothing is kept."""

from fastapi import APIRouter

from coqui_server.exceptions import NotFound

_METHODS = ["GET", "POST", "PATCH", "DELETE"]


def router() -> APIRouter:
    """Says why they are not there."""
    routes = APIRouter(include_in_schema=False)

    @routes.api_route("/api/sessions{rest:path}", methods=_METHODS)
    @routes.api_route("/api/files{rest:path}", methods=_METHODS)
    async def nothing(rest: str) -> None:
        raise NotFound("nothing is kept here: store.enabled is false")

    return routes
