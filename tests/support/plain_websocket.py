"""A WebSocket client of bytes alone: it sends what a program in C sends, right or wrong."""

import asyncio
import os
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from websockets.utils import accept_key, apply_mask, generate_key

from tests.support.daemon import Running

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA


def frame(opcode: int, payload: bytes, *, masked: bool = True) -> bytes:
    """One whole frame (RFC 6455 section 5.2) of less than 64 KiB."""
    size = len(payload)
    length = struct.pack("!B", size) if size < 126 else struct.pack("!BH", 126, size)
    if not masked:
        return bytes([0x80 | opcode]) + length + payload
    key = os.urandom(4)
    return bytes([0x80 | opcode, 0x80 | length[0]]) + length[1:] + key + apply_mask(payload, key)


@dataclass
class PlainClient:
    """An open connection, and the headers of the answer by their names in lower case."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    headers: Mapping[str, str]

    def send(self, opcode: int, payload: bytes | str) -> None:
        """Send a frame as clients have to."""
        data = payload if isinstance(payload, bytes) else payload.encode()
        self.writer.write(frame(opcode, data))

    async def next(self, first: int = 2) -> tuple[int, bytes]:
        """The opcode and the payload of the next frame.

        Args:
            first: bytes that the program reads at once. It hangs if a frame is shorter.
        """
        head = await self.reader.readexactly(first)
        opcode, size, rest = head[0] & 0xF, head[1], head[2:]
        if size == 126:
            rest += await self.reader.readexactly(max(0, 2 - len(rest)))
            size, rest = int.from_bytes(rest[:2]), rest[2:]
        return opcode, rest + await self.reader.readexactly(size - len(rest))


@asynccontextmanager
async def plain(server: Running, request: str) -> AsyncIterator[PlainClient]:
    """A client that connects with these lines, in which `{host}`, `{port}` and `{key}` are filled
    in."""
    host, _, port = server.url.removeprefix("ws://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    key = generate_key()
    lines = request.strip().format(host=host, port=port, key=key).splitlines()
    writer.write("".join(f"{line}\r\n" for line in [*lines, ""]).encode())
    status, *answer = (await reader.readuntil(b"\r\n\r\n")).decode().strip().splitlines()
    assert status == "HTTP/1.1 101 Switching Protocols"
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in answer)}
    assert headers["sec-websocket-accept"] == accept_key(key)
    try:
        yield PlainClient(reader, writer, headers)
    finally:
        writer.transport.abort()
