"""Clients that send nothing, half a head, a slow body, or do not read, are closed on both ports."""

import asyncio
import socket

import pytest

from tests.support.daemon import Start
from tests.support.live import Obstacle

SHORT = "server { head = 100 ms, slow = 100 ms }"


async def connected(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A plain connection."""
    host, _, port = address.partition("://")[2].rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def ended(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the server closes the connection."""
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize("port", ["url", "console"])
@pytest.mark.parametrize("head", [b"", b"GET / HTTP/1.1\r\nHost: local"])
async def test_a_head_that_does_not_come(start: Start, port: str, head: bytes) -> None:
    """Nothing, or half of it."""
    async with start(Obstacle(), SHORT, console=True) as server:
        reader, writer = await connected(getattr(server, port))
        writer.write(head)
        await ended(reader)
        writer.close()


async def test_half_a_head_after_an_answer(start: Start) -> None:
    """The second request of a connection has the same deadline."""
    async with start(Obstacle(), SHORT, console=True) as server:
        reader, writer = await connected(server.console)
        writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HT")
        assert (await ended(reader)).startswith(b"HTTP/1.1 200 ")
        writer.close()


async def test_a_body_that_comes_byte_by_byte(start: Start) -> None:
    """It is not the pause between two bytes that counts: 16 KiB have to come."""
    async with start(Obstacle(), SHORT, console=True) as server:
        reader, writer = await connected(server.console)
        writer.write(b"POST /sign-out HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999\r\n\r\n")
        reading = asyncio.create_task(ended(reader))
        while not reading.done():
            writer.write(b"x")
            await asyncio.sleep(0.01)
        writer.close()


async def test_a_download_that_nobody_reads(start: Start) -> None:
    """Its connection is closed, with what was not read."""
    async with start(Obstacle(), "server.slow = 100 ms", console=True) as server:
        assert server.daemon.console
        connections = server.daemon.console._http.server_state.connections
        host, _, port = server.console.partition("://")[2].rpartition(":")
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(client, (host, int(port)))
            request = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
            while not connections:
                await asyncio.sleep(0.01)
            await loop.sock_sendall(client, request * 40)
            while connections:
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("port", ["url", "console"])
async def test_an_address_has_so_many_connections(start: Start, port: str) -> None:
    """One more is closed at once; when another one ends there is room again."""
    async with start(Obstacle(), "server.connections = 3", console=True) as server:
        address = getattr(server, port)
        first = [await connected(address) for _ in range(3)]
        reader, writer = await connected(address)
        assert await ended(reader) == b""
        writer.close()
        first[0][1].close()
        answered = b""
        while not answered:
            reader, writer = await connected(address)
            writer.write(b"GET /health HTTP/1.0\r\n\r\n")
            answered = await ended(reader)
            writer.close()
        assert b" 200 " in answered
        for _, writer in first[1:]:
            writer.close()
