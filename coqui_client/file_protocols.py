"""The protocols for a whole file: one binary message, or base64 in JSON. No I/O."""

import base64
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from coqui_client.reply import Reply, checked, decoded, parse, refusal

JSON_PATH = "/ws"


@dataclass(frozen=True)
class FileProtocol:
    """A protocol for whole files.

    Attributes:
        message: turns the bytes of a file into the fragments of one message.
        read: turns a message of the daemon into a reply, or None if it is not the reply yet; raises
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
        # Three bytes are four letters; only the very end may have padding.
        whole = len(data) - len(data) % 3
        rest = data[whole:]
        yield base64.b64encode(data[:whole]).decode()
    yield f'{base64.b64encode(rest).decode()}"}}'


def read_json(message: str | bytes) -> Reply | None:
    """The transcript; None for `{"type": "status"}`, which comes before it.

    Raises:
        RefusedError: it is `{"type": "error"}`; BusyError if there is no room now.
        ReplyError: it is of another shape.
    """
    fields = decoded(message)
    if fields.get("type") == "error":
        raise refusal(fields)
    if fields.get("type") != "transcription":
        return None
    return checked(fields)


BINARY = FileProtocol(lambda pieces: pieces, parse)

JSON = FileProtocol(in_json, read_json)
