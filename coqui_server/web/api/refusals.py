"""Routes that refuse in the form that the clients of another service expect."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from coqui_server.exceptions import Busy, NotSignedIn, RequestError
from coqui_server.web import bodies
from coqui_server.web.errors import RETRY

Form = Callable[[RequestError], tuple[int, dict[str, Any]]]
"""The status and the JSON of a refusal."""


def refusing(form: Form) -> type[APIRoute]:
    """The class of routes that refuse in this form."""

    class Route(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def answered(request: Request) -> Response:
                try:
                    return await handle(request)
                except RequestValidationError:
                    await bodies.unread(request)
                    raise
                except RequestError as refusal:
                    if isinstance(refusal, NotSignedIn):
                        await bodies.unread(request)
                    return _refused(refusal, *form(refusal))

            return answered

    return Route


def _refused(refusal: RequestError, status: int, content: dict[str, Any]) -> Response:
    answer = JSONResponse(content, status)
    if isinstance(refusal, Busy):
        answer.headers["Retry-After"] = RETRY
    if isinstance(refusal, NotSignedIn):
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer
