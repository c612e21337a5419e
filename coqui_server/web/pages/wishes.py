"""What the fields of the pages Live and Files offer: the wishes of a request."""

from collections.abc import Mapping
from typing import Any

from coqui_server.transcription.service import Service

_SPEAKERS: Mapping[str, str] = {
    "not told apart": "off",
    "told apart": "auto",
    **{f"{count} of them": str(count) for count in range(2, 7)},
}
"""What becomes of the people on one channel, by what people call it; the setting is added."""


def fields(service: Service) -> dict[str, Any]:
    """The variables of `wishes.html`."""
    told = str(service.settings.speakers)
    return {
        "engines": [engine.name for engine in service.engines],
        "speakers": {**_SPEAKERS, _called(told): told},
        "told": told,
    }


def _called(speakers: str) -> str:
    """What people call a value of the setting."""
    known = {wish: name for name, wish in _SPEAKERS.items()}
    return known.get(speakers, f"{speakers} of them")
