"""Refusals in the form and with the statuses that OpenAI's clients expect."""

from fastapi.responses import JSONResponse

from coqui_server.exceptions import NotAudio, NotSignedIn, RequestError, UnknownEngine
from coqui_server.exports import openai
from coqui_server.exports.openai import Json


def answer(refusal: RequestError) -> JSONResponse:
    """The response to a refusal."""
    return JSONResponse(error(refusal), _status(refusal))


def error(refusal: RequestError) -> Json:
    """The object of a refusal."""
    status, message = _status(refusal), str(refusal)
    match refusal:
        case UnknownEngine():
            return openai.error(message, status, code="model_not_found", param="model")
        case NotSignedIn():
            return openai.error(message, status, code="invalid_api_key")
    return openai.error(message, status, code=refusal.code)


def _status(refusal: RequestError) -> int:
    """The status for which the clients have the fitting exception."""
    if isinstance(refusal, UnknownEngine):
        return 404
    return 400 if isinstance(refusal, NotAudio) else refusal.http_status
