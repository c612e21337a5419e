"""Routes that refuse in the form that the clients of another service expect."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from coqui_server.exceptions import NotSignedIn, RequestError
from coqui_server.web import bodies, errors

Form = Callable[[RequestError], JSONResponse]
"""The answer to a refusal, but for the headers that all of them have."""


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
                    answer = form(refusal)
                    answer.headers.update(errors.headers(refusal))
                    return answer

            return answered

    return Route
