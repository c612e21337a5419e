"""The connection of a live client: messages of bounded size and in time, JSON back."""

import asyncio
import json
import logging
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import pybase64
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from coqui_server.exceptions import BadRequest
from coqui_server.protocols import inbound
from coqui_server.transcription.service import Service

LARGEST = 16 * 2**20
"""Bytes a live message may have: eight minutes of sound at 16 kHz."""

_log = logging.getLogger(__name__)


class LiveConnection:
    """One client. Sending never fails: a message to a client that is gone is dropped.

    A client may send nothing for as long as it likes, if it answers pings. Use as an async context
    manager.

    Attributes:
        gone: the client has left, or was cut off because it did not read.
    """

    def __init__(self, connection: ServerConnection, service: Service) -> None:
        self.gone = False
        self._connection = connection
        self._service = service
        self._wait: asyncio.Timeout | None = None

    async def __aenter__(self) -> Self:
        self._pinging = asyncio.create_task(self._ping())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._pinging.cancel()
        await asyncio.gather(self._pinging, return_exceptions=True)

    @property
    def query(self) -> dict[str, str]:
        """The values that the client's address has after its path."""
        assert self._connection.request is not None
        query = urlsplit(self._connection.request.path).query
        return dict(parse_qsl(query, keep_blank_values=True))

    async def receive(self, limit: int = LARGEST) -> str | bytes:
        """The next message.

        Raises:
            TooLarge: it has more than `limit` bytes.
            Idle: for `server.idle`, neither a message nor the answer to a ping came.
            GoingAway: as `Service.patience`.
            ConnectionClosed: the client is gone.
        """
        async with self._service.patience() as self._wait:
            return await inbound.message(self._connection, limit)

    async def send(self, message: dict[str, Any]) -> None:
        """Send one message, waiting `server.unread` at most for the client to read."""
        if self.gone:
            return
        try:
            async with asyncio.timeout(self._service.settings.server.unread):
                await self._connection.send(json.dumps(message, ensure_ascii=False))
        except TimeoutError:
            self.gone = True
            _log.warning("%s: cut off, it does not read", self._connection.remote_address)
            self._connection.transport.abort()
        except ConnectionClosed:
            self.gone = True

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection with a code and a reason."""
        await self._connection.close(code, reason)

    async def _ping(self) -> None:
        """Ask the client whether it is alive, and wait anew for its messages when it answers."""
        while True:
            await asyncio.sleep(self._service.settings.server.idle / 3)
            try:
                await (await self._connection.ping())
            except ConnectionClosed:
                return
            if self._wait:
                self._service.extend(self._wait)


def parsed(text: str | bytes) -> dict[str, Any]:
    """A message as a JSON object whose texts have no lone surrogates.

    Raises:
        BadRequest: it is not one.
    """
    message = json_object(text)
    # One character is found, or not, in 0.1 us in 6 kB of base64; a whole escape takes 17.
    if isinstance(text, bytes) or "\\" in text:
        # A lone surrogate is no character: it could not be sent back.
        try:
            json.dumps(message, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as wrong:
            raise _no_object() from wrong
    return message


def json_object(text: str | bytes) -> dict[str, Any]:
    """A message as a JSON object, whatever its texts hold.

    Raises:
        BadRequest: it is not one.
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as wrong:
        raise _no_object() from wrong
    if not isinstance(message, dict):
        raise _no_object()
    return message


def decoded(audio: Any) -> bytes:
    """The bytes of a base64 text, or of a data URL (RFC 2397) as browsers make them.

    Raises:
        BadRequest: it is neither.
    """
    if not isinstance(audio, str):
        raise BadRequest('"audio" is a text, the base64 of sound')
    try:
        # 0.7 us for 0.1 s of sound, where Python's own takes 15 to 50.
        return pybase64.b64decode(audio.rpartition("base64,")[2], validate=True)
    except ValueError as wrong:
        raise BadRequest(f'"audio" is not base64: {wrong}') from wrong


def _no_object() -> BadRequest:
    return BadRequest("a text message is a JSON object")
