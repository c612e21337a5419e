"""`client.py --speakers`: what it asks the daemon for."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from tests.support.client import command

Handler = Callable[[ServerConnection], Awaitable[None]]
Start = Callable[..., Awaitable[str]]


async def test_the_address_says_it(start: Start, wav: Path, reply: dict[str, Any]) -> None:
    """Beside what the address says already."""
    asked: list[str] = []

    async def handler(socket: ServerConnection) -> None:
        assert socket.request
        asked.append(socket.request.path)
        await socket.recv()
        await socket.send(json.dumps(reply))

    url = await start(handler)
    assert await command(wav, "--url", f"{url}?engine=vosk", "--speakers", "2") == 0
    assert asked[0].endswith("?engine=vosk&speakers=2")


async def test_in_json(start: Start, wav: Path) -> None:
    """The address of the other protocol has it, too."""
    asked: list[str] = []

    async def handler(socket: ServerConnection) -> None:
        assert socket.request
        asked.append(socket.request.path)
        await socket.recv()
        await socket.send('{"type": "transcription", "text": "Ask not.", "status": "success"}')

    options = ("--url", await start(handler), "--protocol", "json", "--speakers", "auto")
    assert await command(wav, *options) == 0
    assert asked[0].endswith("?speakers=auto")


async def test_not_of_calls(wav: Path) -> None:
    """A call has no request."""
    with pytest.raises(SystemExit) as left:
        await command(wav, "--rtp", "localhost:5004", "--speakers", "auto")
    assert left.value.code == 2
