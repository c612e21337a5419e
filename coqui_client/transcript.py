"""What the daemon replies, checked and typed."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coqui_client.exceptions import BusyError, RefusedError, ReplyError

BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Word:
    """One word; `start` and `end` are seconds from the start of the file."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Segment:
    """One utterance; seconds from the start of the file. `words` may be empty."""

    start: float
    end: float
    text: str
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """The transcript of one file.

    Attributes:
        text: all of it.
        duration: seconds of audio.
        segments: the utterances, in the daemon's order.
        reply: the daemon's whole reply, with the fields this version does not know.
    """

    text: str
    duration: float
    segments: tuple[Segment, ...]
    reply: Mapping[str, Any]


def parse(message: str | bytes) -> Transcript:
    """The daemon's one text message as a transcript.

    Raises:
        BusyError: it says that there is no room now.
        RefusedError: it is any other failure.
        ReplyError: it is not JSON, or not of the shape the protocol gives.
    """
    reply = decoded(message)
    if "message" in reply and "text" not in reply:
        raise refusal(reply)
    return checked(reply)


def decoded(message: str | bytes) -> dict[str, Any]:
    """The JSON object that a message of the daemon is.

    Raises:
        ReplyError: it is something else.
    """
    try:
        reply = json.loads(message)
    except ValueError as wrong:
        raise ReplyError("the reply is not JSON; is this the transcription daemon?") from wrong
    if not isinstance(reply, dict):
        raise ReplyError("the reply is not a JSON object")
    return reply


def checked(reply: Mapping[str, Any]) -> Transcript:
    """A reply with text as a transcript.

    Raises:
        ReplyError: it is not of the shape the protocol gives.
    """
    return Transcript(
        text=_text(reply, "text"),
        duration=_seconds(reply, "duration"),
        segments=tuple(_segment(item) for item in _items(reply, "segments")),
        reply=reply,
    )


def refusal(reply: Mapping[str, Any]) -> RefusedError:
    """The error that a message with `message` and `code` tells of; a BusyError for `busy`."""
    code = str(reply.get("code", "refused"))
    kind = BusyError if code == BUSY else RefusedError
    return kind(" ".join(str(reply.get("message", code)).split()), code)


def spoken(reply: Mapping[str, Any]) -> str:
    """The `text` of a message.

    Raises:
        ReplyError: it has none.
    """
    return _text(reply, "text")


def _segment(item: Mapping[str, Any]) -> Segment:
    words = tuple(
        Word(_text(word, "word"), _seconds(word, "start"), _seconds(word, "end"))
        for word in _items(item, "words")
    )
    return Segment(_seconds(item, "start"), _seconds(item, "end"), _text(item, "text"), words)


def _text(item: Mapping[str, Any], key: str) -> str:
    value = item.get(key)
    if not isinstance(value, str):
        raise ReplyError(f"the reply has no text in '{key}'")
    return value


def _seconds(item: Mapping[str, Any], key: str) -> float:
    value = item.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ReplyError(f"the reply has no number in '{key}'")
    return float(value)


def _items(item: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = item.get(key) or []
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise ReplyError(f"the reply has no list of objects in '{key}'")
    return value
