"""The console's port of a daemon that runs as a process."""

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
from tools.daemon import running


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


def test_without_a_console_and_open_to_others() -> None:
    """`web.enabled = false` opens no port. The log warns of addresses that others can reach."""
    with running("web { enabled = false, host = 0.0.0.0 }\nserver.http.host = 0.0.0.0") as daemon:
        assert daemon.console == ""
        assert daemon.stop() == 0
        log = daemon.log.read_text()
    warning = "everybody who reaches it may use it without signing in"
    assert f"server.http.host is 0.0.0.0: {warning}" in log
    assert "web.host" not in log


async def test_a_signal_ends_it() -> None:
    """An idle connection, one that has sent half a request and a WebSocket do not hold it up."""
    with running("server.drain = 100 ms") as daemon:
        host, port = daemon.console.removeprefix("http://").split(":")
        with (
            socket.create_connection((host, int(port))) as idle,
            socket.create_connection((host, int(port))) as half,
        ):
            half.sendall(b"GET / HTTP/1.1\r\nHost:")
            async with httpx.AsyncClient() as client:
                assert (await client.get(f"{daemon.console}/health")).status_code == 200
            async with connect(f"ws://{host}:{port}/ws/v1/speech-to-text") as speaker:
                stopped = asyncio.create_task(asyncio.to_thread(daemon.stop))
                assert json.loads(await speaker.recv())["code"] == "going_away"
                with pytest.raises(ConnectionClosed):
                    while True:
                        await speaker.recv()
                assert speaker.close_code == 1001
            assert await stopped == 0
            assert (idle.recv(1), half.recv(1)) == (b"", b"")
