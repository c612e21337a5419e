"""`/api/sessions` and `/api/files` where nothing is stored."""

from fastapi import APIRouter

from coqui_server.exceptions import NotFound

_METHODS = ["GET", "POST", "PATCH", "DELETE"]


def router() -> APIRouter:
    """Answers that nothing is stored."""
    routes = APIRouter(include_in_schema=False)

    @routes.api_route("/api/sessions{rest:path}", methods=_METHODS)
    @routes.api_route("/api/files{rest:path}", methods=_METHODS)
    async def nothing(rest: str) -> None:
        raise NotFound("nothing is kept here: store.enabled is false")

    return routes
