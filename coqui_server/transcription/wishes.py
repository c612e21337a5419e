"""What a request asks for, in the same words on every surface of ours.

An address and a form have each of them as a text; JSON has numbers and lists, too.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, get_args

from coqui_server.config.audio import ChannelMode
from coqui_server.config.speakers import MOST, Speakers
from coqui_server.config.text import TextFormat, listed
from coqui_server.exceptions import BadRequest
from coqui_server.media.raw import RawFormat

NAMES = ("format", "speakers", "terms")
"""The wishes of any session."""

FILE_NAMES = ("track", "channels", "encoding", "sample_rate", *NAMES)
"""The wishes of a file."""


@dataclass(frozen=True)
class Wishes:
    """Of any session. What is None is left to the settings.

    Attributes:
        format: of the text.
        speakers: whether they are told apart.
        terms: names and terms to favour, beside those of the owner and of the settings.
    """

    format: TextFormat | None = None
    speakers: Speakers | None = None
    terms: tuple[str, ...] = ()

    @classmethod
    def of(cls, *places: Mapping[str, Any]) -> Self:
        """What is said in these places, by the names above; what a later one says counts. Other
        names are passed over.

        Raises:
            BadRequest: a value is none of those that are allowed, which the message says.
        """
        said = _said(places)
        return cls(
            text_format(said.get("format")),
            speakers_wish(said.get("speakers")),
            terms(said.get("terms", ())),
        )


@dataclass(frozen=True)
class FileWishes(Wishes):
    """Of a file.

    Attributes:
        track: the number of a sound track, from 1; None to choose one that has speech.
        channels: what becomes of its channels.
        raw: the format of a file without a header; None for all others.
    """

    track: int | None = None
    channels: ChannelMode | None = None
    raw: RawFormat | None = None

    @classmethod
    def of(cls, *places: Mapping[str, Any]) -> Self:
        """As `Wishes.of`."""
        said = _said(places)
        rate = said.get("sample_rate")
        return cls(
            **vars(Wishes.of(said)),
            track=_track(said.get("track")),
            channels=_channels(said.get("channels")),
            raw=RawFormat.of_file(said.get("encoding"), None if rate is None else str(rate)),
        )


NOTHING = FileWishes()
"""All is left to the settings."""


def text_format(value: object) -> TextFormat | None:
    """Verbatim or readable; None if a request says neither. Raises BadRequest."""
    match value:
        case None | "verbatim" | "readable":
            return value
    raise BadRequest("format is verbatim or readable")


def speakers_wish(value: object) -> Speakers | None:
    """Off, auto or a number of people; None if a request does not say. Raises BadRequest."""
    match value:
        case None | "off" | "auto":
            return value
        case str() if value.isdecimal() and len(value) < 4:
            value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST:
        return value
    raise BadRequest(f"speakers is off, auto or a number from 1 to {MOST}")


def terms(value: object) -> tuple[str, ...]:
    """The terms of a list, or of a text with commas or line ends between them. Raises BadRequest
    if it is neither, or too long."""
    if isinstance(value, str):
        value = re.split(r"[,\n]", value)
    if not isinstance(value, list | tuple) or not all(isinstance(term, str) for term in value):
        raise BadRequest("terms is a list of texts, or a text with commas between them")
    try:
        return listed(value)
    except ValueError as wrong:
        raise BadRequest(str(wrong)) from wrong


def _channels(value: object) -> ChannelMode | None:
    match value:
        case None | "auto" | "mix" | "split":
            return value
    allowed = ", ".join(get_args(ChannelMode))
    raise BadRequest(f'found channels "{str(value)[:20]}", allowed: {allowed}')


def _track(value: object) -> int | None:
    if value is None:
        return None
    if not re.fullmatch(r"[1-9]\d?", str(value)):
        raise BadRequest(f'found track "{str(value)[:20]}", allowed: a number from 1 to 99')
    return int(str(value))


def _said(places: tuple[Mapping[str, Any], ...]) -> dict[str, Any]:
    return {name: value for said in places for name, value in said.items() if value is not None}
