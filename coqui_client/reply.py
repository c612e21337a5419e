"""The daemon's reply to a file, checked: its transcript, and its fields as they came."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coqui_client.exceptions import BusyError, RefusedError, ReplyError
from coqui_transcript.mapping import transcript_from_json
from coqui_transcript.transcript import Transcript

BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply with a transcript.

    Attributes:
        fields: the whole JSON object, with the keys that this version does not know.
    """

    transcript: Transcript
    fields: Mapping[str, Any]


def parse(message: str | bytes) -> Reply:
    """The daemon's one text message.

    Raises:
        BusyError: it says that there is no room now.
        RefusedError: it is any other failure.
        ReplyError: it is not JSON, or not of the shape the protocol gives.
    """
    fields = decoded(message)
    if "message" in fields and "text" not in fields:
        raise refusal(fields)
    return checked(fields)


def decoded(message: str | bytes) -> dict[str, Any]:
    """The JSON object that a message of the daemon is.

    Raises:
        ReplyError: it is something else.
    """
    try:
        fields = json.loads(message)
    except ValueError as wrong:
        raise ReplyError("the reply is not JSON; is this the transcription daemon?") from wrong
    if not isinstance(fields, dict):
        raise ReplyError("the reply is not a JSON object")
    return fields


def checked(fields: Mapping[str, Any]) -> Reply:
    """The reply that has these fields.

    Raises:
        ReplyError: they are not of the shape the protocol gives.
    """
    try:
        return Reply(transcript_from_json(fields), fields)
    except ValueError as wrong:
        raise ReplyError(f"the reply has {wrong}") from wrong


def refusal(fields: Mapping[str, Any]) -> RefusedError:
    """The error that a message with `message` and `code` tells of; a BusyError for `busy`."""
    code = str(fields.get("code", "refused"))
    kind = BusyError if code == BUSY else RefusedError
    return kind(" ".join(str(fields.get("message", code)).split()), code)
