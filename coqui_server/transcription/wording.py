"""How the text of a session is written: its format, its language, its terms."""

import re

from coqui_server.config.settings import Settings
from coqui_server.config.text import listed
from coqui_server.engines.base import AnyEngine
from coqui_server.exceptions import ConfigError
from coqui_server.readable.writer import Writer
from coqui_server.transcription.request import SessionRequest

_NAMED = re.compile(r"(?<![a-z])([a-z]{2})(?![a-z])")
"""The language in a model's name, as Vosk's have it: vosk-model-small-en-us-0.15."""


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
