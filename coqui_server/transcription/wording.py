"""How the text of a session is written: its format, its language, its names and terms."""

import re

from coqui_server.config.settings import Settings
from coqui_server.config.text import TextFormat, listed
from coqui_server.engines.base import AnyEngine
from coqui_server.exceptions import BadRequest, ConfigError
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


def terms(value: object) -> tuple[str, ...]:
    """The terms that a request lists.

    Raises:
        BadRequest: it is no list of texts, or one that is too long.
    """
    if not isinstance(value, list) or not all(isinstance(term, str) for term in value):
        raise BadRequest("terms is a list of texts")
    try:
        return listed(value)
    except ValueError as wrong:
        raise BadRequest(str(wrong)) from wrong


def configured_terms(settings: Settings) -> tuple[str, ...]:
    """The terms of the configuration and of its file.

    Raises:
        ConfigError: the file cannot be read, or is too long.
    """
    file = settings.text.terms_file
    if file is None:
        return settings.text.terms
    try:
        return settings.text.terms + listed(file.read_text(encoding="utf-8-sig").splitlines())
    except (OSError, ValueError) as unreadable:
        raise ConfigError("text.terms_file", f'found "{file}": {unreadable}') from unreadable


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
