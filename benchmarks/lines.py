"""Connections to a daemon: messages out, JSON objects in, over WebSockets and over Wyoming."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from coqui_server.protocols.wyoming_events import Reader

Json = dict[str, Any]


class Line(Protocol):
    """A connection."""

    async def send(self, message: bytes | str) -> None:
        """Send a message; a text is JSON."""

    async def next(self) -> Json:
        """The next message. Raises EOFError at a good end, and AssertionError if the daemon refused
        something: that costs nothing, and would look like a cheap protocol."""


class _WebSocket:
    def __init__(self, socket: ClientConnection) -> None:
        self.send = socket.send
        self._socket = socket

    async def next(self) -> Json:
        try:
            message: Json = json.loads(await self._socket.recv())
        except ConnectionClosed as end:
            assert self._socket.close_code == CloseCode.NORMAL_CLOSURE, self._socket.close_reason
            raise EOFError from end
        return message


class _Wyoming:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer, self._events = reader, writer, Reader()

    async def send(self, message: bytes | str) -> None:
        self._writer.write(message if isinstance(message, bytes) else f"{message}\n".encode())
        await self._writer.drain()

    async def next(self) -> Json:
        while (event := self._events.next()) is None:
            if not (data := await self._reader.read(2**16)):
                raise EOFError
            self._events.push(data)
        assert event.type != "error", event.data
        return {"type": event.type, **event.data}


@asynccontextmanager
async def websocket(addresses: Mapping[str, Any], path: str) -> AsyncIterator[Line]:
    """A line to a path of the speech port.

    Args:
        addresses: as `coqui_server.ready.addresses` has them.
    """
    address = addresses["speech"][0] + path
    async with connect(address, compression=None, ping_timeout=None, max_size=None) as socket:
        yield _WebSocket(socket)


@asynccontextmanager
async def wyoming(addresses: Mapping[str, Any], _: str) -> AsyncIterator[Line]:
    """A line to the port of Wyoming."""
    host, _, port = addresses["wyoming"].rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield _Wyoming(reader, writer)
    finally:
        writer.transport.abort()
