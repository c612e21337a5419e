"""`client.py --channels`: what it asks the daemon for, and how it writes what each person said."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from tests.support.client import command

Handler = Callable[[ServerConnection], Awaitable[None]]
Start = Callable[..., Awaitable[str]]


@pytest.fixture
def parties(reply: dict[str, Any]) -> dict[str, Any]:
    """A reply in which two people spoke."""
    first, second = reply["segments"]
    first.update(channel=1, speaker="left")
    second.update(channel=2, speaker="right")
    return reply


async def test_the_address_says_it(
    start: Start, wav: Path, parties: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside what the address says already, and instead of another wish. Each person's words have a
    line of their own, after the name."""
    asked: list[str] = []

    async def handler(socket: ServerConnection) -> None:
        assert socket.request
        asked.append(socket.request.path)
        await socket.recv()
        await socket.send(json.dumps(parties))

    url = await start(handler)
    query = f"{url}?engine=vosk&channels=mix"
    assert await command(wav, "--url", query, "--channels", "split") == 0
    assert asked[0].endswith("?engine=vosk&channels=split")
    assert capsys.readouterr().out == "left: Ask not.\nright: Ждём & <gloom>.\n"
    assert await command(wav, "--url", query, "--format", "srt") == 0
    assert asked[1].endswith("?engine=vosk&channels=mix")
    assert "\nright: Ждём & <gloom>.\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    "options", [("--channels", "left"), ("--channels", "mix", "--live"), ("--rtp", "localhost")]
)
async def test_wrong_usage(wav: Path, options: tuple[str, ...]) -> None:
    """A mode that is none, and sound that is no whole file."""
    with pytest.raises(SystemExit) as left:
        await command(wav, "--channels", "split", *options)
    assert left.value.code == 2
