"""Refusals in the form and with the statuses that OpenAI's clients expect. No I/O."""

from coqui_server.exceptions import NotAudio, NotSignedIn, RequestError, UnknownEngine
from coqui_server.exports import openai
from coqui_server.exports.openai import Json


def error(refusal: RequestError) -> Json:
    """The object of a refusal."""
    code, message = status(refusal), str(refusal)
    match refusal:
        case UnknownEngine():
            return openai.error(message, code, code="model_not_found", param="model")
        case NotSignedIn():
            return openai.error(message, code, code="invalid_api_key")
    return openai.error(message, code, code=refusal.code)


def status(refusal: RequestError) -> int:
    """The HTTP status for which the clients have the fitting exception."""
    if isinstance(refusal, UnknownEngine):
        return 404
    return 400 if isinstance(refusal, NotAudio) else refusal.http_status
