"""Refusals in the form and with the statuses that OpenAI's clients expect."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from coqui_server.exceptions import (
    Busy,
    NotAudio,
    NotSignedIn,
    RequestError,
    UnknownEngine,
)
from coqui_server.exports import openai
from coqui_server.exports.openai import Json
from coqui_server.web import bodies
from coqui_server.web.errors import RETRY


class OpenAiRoute(APIRoute):
    """A route that refuses in OpenAI's form."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await handle(request)
            except NotSignedIn as refusal:
                await bodies.unread(request)
                return _refused(refusal)
            except RequestError as refusal:
                return _refused(refusal)

        return answered


def _refused(refusal: RequestError) -> Response:
    answer = JSONResponse(error(refusal), _status(refusal))
    if isinstance(refusal, Busy):
        answer.headers["Retry-After"] = RETRY
    if isinstance(refusal, NotSignedIn):
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def _status(refusal: RequestError) -> int:
    """The status that OpenAI's clients know for it: each has an exception for it."""
    if isinstance(refusal, UnknownEngine):
        return 404
    return 400 if isinstance(refusal, NotAudio) else refusal.http_status


def error(refusal: RequestError) -> Json:
    """The object of a refusal."""
    status, message = _status(refusal), str(refusal)
    match refusal:
        case UnknownEngine():
            return openai.error(message, status, code="model_not_found", param="model")
        case NotSignedIn():
            return openai.error(message, status, code="invalid_api_key")
    return openai.error(message, status, code=refusal.code)
