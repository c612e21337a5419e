"""How a whole file travels: as one binary message, or as base64 in JSON. Nothing here sends."""

import base64
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from coqui_client.reply import Reply, decoded, parse, refusal, text_of
from coqui_transcript.transcript import Transcript

JSON_PATH = "/ws"


@dataclass(frozen=True)
class Wire:
    """A protocol for whole files.

    Attributes:
        message: the bytes of a file to the fragments of the one message they are sent as.
        read: a message of the daemon to a reply, or None if that is still to come; raises
            RefusedError and ReplyError.
    """

    message: Callable[[AsyncIterator[bytes]], AsyncIterator[bytes] | AsyncIterator[str]]
    read: Callable[[str | bytes], Reply | None]


async def in_json(pieces: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """The pieces as `{"type": "audio", "audio": "<base64>"}`; memory does not grow with them."""
    yield '{"type": "audio", "audio": "'
    rest = b""
    async for piece in pieces:
        data = rest + piece
        # Three bytes are four letters; padding may stand at the very end only.
        whole = len(data) - len(data) % 3
        rest = data[whole:]
        yield base64.b64encode(data[:whole]).decode()
    yield f'{base64.b64encode(rest).decode()}"}}'


def read_json(message: str | bytes) -> Reply | None:
    """A transcript without times; None for `{"type": "status"}`, which says that it is made.

    Raises:
        RefusedError: it is `{"type": "error"}`; BusyError if there is no room now.
        ReplyError: it is of another shape.
    """
    fields = decoded(message)
    if fields.get("type") == "error":
        raise refusal(fields)
    if fields.get("type") != "transcription":
        return None
    return Reply(Transcript(text_of(fields), 0.0), fields)


BINARY = Wire(lambda pieces: pieces, parse)
JSON = Wire(in_json, read_json)
