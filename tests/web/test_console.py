"""The console's port: where it is opened, and its end."""

import asyncio
import json
import socket

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from coqui_server.engines.base import AnyEngine
from coqui_server.exceptions import ConfigError
from tests.support.daemon import Start


@pytest.mark.parametrize(
    ("setting", "key", "problem"),
    [
        ("port = {taken}", "web.port", "found {taken}, which is in use on 127.0.0.1; allowed: a"),
        ("host = 203.0.113.7", "web.host", 'found "203.0.113.7", allowed: an address of this'),
    ],
)
async def test_an_address_that_cannot_be_had(
    start: Start, moonshine: AnyEngine, setting: str, key: str, problem: str
) -> None:
    """The error names the setting, what was found and what is allowed."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError) as caught:
            async with start(moonshine, "web." + setting.format(taken=port), console=True):
                pass
    assert str(caught.value).startswith(f"{key}: {problem.format(taken=port)}")


async def test_a_shutdown_ends_it(start: Start, moonshine: AnyEngine) -> None:
    """An idle connection, one that has sent half a request and a WebSocket do not hold it up."""
    async with start(moonshine, "server.drain = 100 ms", console=True) as server:
        host, port = server.console.removeprefix("http://").split(":")
        with (
            socket.create_connection((host, int(port))) as idle,
            socket.create_connection((host, int(port))) as half,
        ):
            half.sendall(b"GET / HTTP/1.1\r\nHost:")
            async with httpx.AsyncClient(verify=False) as client:
                assert (await client.get(f"{server.console}/health")).status_code == 200
            async with connect(f"ws://{host}:{port}/ws/v1/speech-to-text") as speaker:
                stopped = asyncio.create_task(server.daemon.shut_down())
                assert json.loads(await speaker.recv())["code"] == "going_away"
                with pytest.raises(ConnectionClosed):
                    while True:
                        await speaker.recv()
                assert speaker.close_code == 1001
            await stopped
            assert (idle.recv(1), half.recv(1)) == (b"", b"")
