"""What the speech port answers to those who speak no WebSocket."""

import asyncio

import httpx
import pytest

import coqui_server
from tests.support.daemon import Running, Start
from tests.support.live import Obstacle


async def get(server: Running, path: str) -> httpx.Response:
    """A plain GET."""
    async with httpx.AsyncClient(verify=False) as client:
        return await client.get(server.url.replace("ws:", "http:") + path)


async def test_plain_http(start: Start) -> None:
    """GET / greets, /health is JSON, and another path is told what there is."""
    async with start(Obstacle()) as server:
        greeting = await get(server, "/")
        assert (greeting.status_code, greeting.text) == (200, "Welcome to coqui_server\n")
        told = await get(server, "/health")
        health = told.json()
        assert (told.status_code, told.headers["Content-Type"]) == (200, "application/json")
        assert health["status"] == "ok"
        assert (health["engine"], health["model"]) == ("obstacle", "none")
        assert health["version"] == coqui_server.__version__
        nothing = await get(server, "/nothing")
        assert nothing.status_code == 404
        assert "/api/v1/stt" in nothing.text
        assert (await get(server, "/api/v1/stt")).status_code == 426


async def test_a_peer_that_speaks_no_http(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """Junk on the port is no warning in the log, and the next client is answered."""
    async with start(Obstacle()) as server:
        host, port = server.url.removeprefix("ws://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"\x16\x03\x01 hello\r\n\r\n")
        await reader.read()
        writer.close()
        await writer.wait_closed()
        assert (await get(server, "/")).status_code == 200
    assert caplog.text == ""
