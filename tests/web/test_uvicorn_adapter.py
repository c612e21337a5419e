"""What `uvicorn_adapter` overrides and builds by hand is still what uvicorn has."""

import inspect

import httpx
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from websockets.asyncio.client import connect

from tests.support.daemon import Start
from tests.support.live import Obstacle


def test_what_is_overridden_and_built() -> None:
    """The context manager for signals, and the protocol's constructor and its WebSocket class."""
    assert inspect.isgeneratorfunction(inspect.unwrap(uvicorn.Server.capture_signals))
    wanted = {"config", "server_state", "app_state"}
    assert wanted <= set(inspect.signature(H11Protocol).parameters)
    assert "ws_protocol_class" in inspect.getsource(H11Protocol)


async def test_http_and_sockets_share_the_port(start: Start) -> None:
    """A connection begins as HTTP; one that asks for it becomes a WebSocket of ours."""
    async with start(Obstacle(), console=True) as server:
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{server.console}/health")).status_code == 200
        address = server.console.replace("http:", "ws:")
        async with connect(f"{address}/vosk") as socket:
            await socket.send('{"eof": 1}')
            assert await socket.recv() == '{"text": ""}'
