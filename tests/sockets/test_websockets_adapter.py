"""What `websockets_adapter` replaces in websockets is still there, and still called."""

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.messages import Assembler
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from coqui_server.protocols import inbound
from coqui_server.sockets.addresses import Addresses
from coqui_server.sockets.websockets_adapter import Connection, select_subprotocol
from tests.support.daemon import Running


def test_the_replaced_methods() -> None:
    """They are methods of the protocol and take what ours take."""
    assert list(inspect.signature(ServerProtocol.fail).parameters) == ["self", "code", "reason"]
    assert list(inspect.signature(Assembler.put).parameters) == ["self", "frame"]
    parameters = inspect.signature(ServerProtocol.select_subprotocol).parameters
    assert list(parameters) == ["self", "subprotocols"]


async def test_a_frame_that_is_too_large_is_explained(tiny: Running) -> None:
    """websockets still refuses it by `fail`, and what is sent before that arrives."""
    async with tiny.connect() as socket:
        await socket.send(bytes(2000))
        assert json.loads(await socket.recv())["code"] == "too_large"
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == 1009


async def take_one(connection: ServerConnection) -> None:
    await inbound.message(connection, 100)


async def take_none(connection: ServerConnection) -> None:
    await connection.wait_closed()


@pytest.mark.parametrize(
    ("handle", "text", "code"),
    [(take_one, b"\xff", 1007), (take_one, b"x", 1000), (take_none, b"x", 1000)],
)
async def test_a_connection_ends_although_frames_wait(
    handle: Callable[[ServerConnection], Awaitable[None]], text: bytes, code: int
) -> None:
    """One that fails, one that the server closes, and one that the client closes, while nobody
    takes the frames. No side has a time limit."""
    over = asyncio.Event()

    async def handled(connection: ServerConnection) -> None:
        try:
            await handle(connection)
        finally:
            over.set()

    create = partial(Connection, addresses=Addresses(1))
    options: Any = {"max_queue": 1, "close_timeout": None, "create_connection": create}
    async with serve(handled, "127.0.0.1", 0, **options) as server:
        host, port = next(iter(server.sockets)).getsockname()
        async with connect(f"ws://{host}:{port}", close_timeout=None) as socket:
            for _ in range(9):
                socket.protocol.send_text(text)
            if handle is take_none:
                socket.protocol.send_close(code)
            socket.transport.write(b"".join(socket.protocol.data_to_send()))
            await socket.wait_closed()
        await over.wait()
        assert socket.close_code == code


async def test_a_token_as_a_subprotocol_is_answered(tiny: Running) -> None:
    """websockets still asks `select_subprotocol`; other names have no answer."""
    offered = [Subprotocol("bearer"), Subprotocol("coqui_token")]
    async with connect(f"{tiny.url}/ws", subprotocols=offered) as socket:
        assert socket.subprotocol == "bearer"
    assert select_subprotocol([Subprotocol("coqui_token")]) == "coqui_token"
    assert select_subprotocol([Subprotocol("ws")]) is None
