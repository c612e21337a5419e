"""How the text of a session is written: its format and its language."""

import re

from coqui_server.config.settings import Settings
from coqui_server.config.text import TextFormat
from coqui_server.engines.base import AnyEngine
from coqui_server.exceptions import BadRequest
from coqui_server.readable.writer import Writer
from coqui_server.transcription.request import SessionRequest

_NAMED = re.compile(r"(?<![a-z])([a-z]{2})(?![a-z])")
"""The language in a model's name, as Vosk's have it: vosk-model-small-en-us-0.15."""


def text_format(value: object) -> TextFormat | None:
    """The format that a request names; None if it names none.

    Raises:
        BadRequest: there is no such format.
    """
    match value:
        case None | "verbatim" | "readable":
            return value
    raise BadRequest("format is verbatim or readable")


def writer(request: SessionRequest, engine: AnyEngine, settings: Settings) -> Writer | None:
    """What writes the texts of a session; None for verbatim ones."""
    if request.format != "readable":
        return None
    options = request.options
    return Writer("en" if options.translate else language(engine, options.language, settings))


def language(engine: AnyEngine, asked: str | None, settings: Settings) -> str | None:
    """The language that an engine hears, as a BCP 47 tag; None if only the sound can tell.

    Args:
        asked: what the request says.
    """
    configured = getattr(getattr(settings, engine.name, None), "language", None)
    known = engine.capabilities.languages
    if asked or configured or len(known) == 1:
        return asked or configured or known[0]
    named = None if known else _NAMED.search(engine.model)
    return named and named.group(1)
