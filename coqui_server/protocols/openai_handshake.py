"""The handshake of OpenAI's Realtime protocol: what is refused before it, and in what form."""

from http import HTTPStatus
from urllib.parse import parse_qs

from websockets.datastructures import Headers
from websockets.http11 import Response

from coqui_server.exceptions import NotFound, UnknownEngine
from coqui_server.exports import openai
from coqui_server.protocols import json_refusal, openai_models
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.service import Service

_CODES = {
    HTTPStatus.UNAUTHORIZED: "invalid_api_key",
    HTTPStatus.NOT_FOUND: "model_not_found",
    HTTPStatus.SERVICE_UNAVAILABLE: "busy",
}


def model(query: str) -> str | None:
    """The model that an address names."""
    return parse_qs(query).get("model", [None])[-1]


def older(headers: Headers) -> bool:
    """Whether a client wants the events of the beta."""
    offered = (*headers.get_all("OpenAI-Beta"), *headers.get_all("Sec-WebSocket-Protocol"))
    return any("realtime=v1" in value or "openai-beta.realtime-v1" in value for value in offered)


def check(query: str, service: Service) -> None:
    """Refuse a model that nobody knows, and a session for which there is no room now.

    Raises:
        NotFound: there is no such model.
        Busy: there is no room.
    """
    try:
        name = openai_models.engine(service.engines, model(query))
    except UnknownEngine as unknown:
        raise NotFound(str(unknown)) from unknown
    service.check_room(SessionRequest("live", service.engines.get(name)))


def complete(_: str, response: Response) -> None:
    """Give the reason of a refusal as OpenAI's object."""
    status = HTTPStatus(response.status_code)
    if status is not HTTPStatus.SWITCHING_PROTOCOLS:
        code = _CODES.get(status, status.name.lower())
        json_refusal.put(response, openai.error(json_refusal.reason(response), status, code=code))
