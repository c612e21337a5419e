"""Commands on `/ws/events` that are refused, each with its reason, and the socket goes on."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from coqui_server.engines.base import Engine
from tests.rtp.sender import four_ports
from tests.rtp.viewer import Viewer, viewing
from tests.support.daemon import Running, Start

COMMANDS = "list_calls, reserve_call, release_call, name_stream"

NO_OBJECTS: dict[str, str | bytes] = {
    "empty": "",
    "no JSON": "list_calls",
    "half": '{"command": "list_calls"',
    "a list": '["list_calls"]',
    "a number": "7",
    "null": "null",
    "a huge number": "1" * 5000,
    "deep": "[" * 60_000,
    "binary": b"\x80\xff\xfe\x00",
    "UTF-16 cut off": b"\xff\xfe{",
}

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no command": ({}, f'"command" is one of {COMMANDS}'),
    "unknown": ({"command": "hang_up"}, f'"command" is one of {COMMANDS}'),
    "not a name": ({"command": ["list_calls"]}, f'"command" is one of {COMMANDS}'),
    "a key too many": ({"command": "list_calls", "all": 1}, "list_calls takes nothing, not all"),
    "a wrong key": (
        {"command": "reserve_call", "name": "x", "codecs": "y"},
        "reserve_call takes id, label, codec, legs, not codecs, name",
    ),
    "no legs": ({"command": "reserve_call", "legs": 0}, "legs is a number from 1 to 8"),
    "many legs": ({"command": "reserve_call", "legs": 9}, "legs is a number from 1 to 8"),
    "legs true": ({"command": "reserve_call", "legs": True}, "legs is a number from 1 to 8"),
    "half legs": ({"command": "reserve_call", "legs": 1.5}, "legs is a number from 1 to 8"),
    "no list of legs": ({"command": "reserve_call", "legs": []}, "legs is a number from 1 to 8"),
    "legs null": ({"command": "reserve_call", "legs": None}, "legs is a number from 1 to 8"),
    "a leg's number": ({"command": "reserve_call", "legs": [1]}, "a leg's name is a printable"),
    "a leg's key": (
        {"command": "reserve_call", "legs": [{"name": "x"}]},
        "a leg takes label, codec, codecs, not name",
    ),
    "types as a list": (
        {"command": "reserve_call", "legs": [{"codecs": ["opus"]}]},
        "codecs is an object such as",
    ),
    "type 128": (
        {"command": "reserve_call", "legs": [{"codecs": {"128": "PCMU"}}]},
        "codecs is an object such as",
    ),
    "a type without a codec": (
        {"command": "reserve_call", "legs": [{"codecs": {"96": None}}]},
        "codec: null is not an encoding",
    ),
    "a type of no codec": (
        {"command": "reserve_call", "legs": [{"codecs": {"96": "VP8/90000"}}]},
        "codec: 'VP8/90000' is not an encoding",
    ),
    "an empty id": ({"command": "reserve_call", "id": ""}, "id is a printable text of 1 to 200"),
    "a long id": ({"command": "reserve_call", "id": "x" * 201}, "id is a printable text of 1"),
    "a split id": ({"command": "reserve_call", "id": "a\nb"}, "id is a printable text of 1 to"),
    "a label of lists": ({"command": "reserve_call", "label": []}, "label is a printable text"),
    "half a letter": ({"command": "reserve_call", "label": "\ud800"}, "label is a printable"),
    "no codec": ({"command": "reserve_call", "codec": "mp3"}, "codec: 'mp3' is not an encoding"),
    "no rate": ({"command": "reserve_call", "codec": "L16"}, "codec: 'L16' needs a rate"),
    "a codec's number": ({"command": "reserve_call", "codec": 8}, "codec: "),
    "a rate of nothing": ({"command": "reserve_call", "codec": "L16/0000"}, "codec: "),
    "no id": ({"command": "release_call"}, "there is no call "),
    "an id nobody has": ({"command": "release_call", "id": "x"}, "there is no call x"),
    "half an id": ({"command": "release_call", "id": "\ud800"}, "there is no call \ud800"),
    "ids": ({"command": "release_call", "id": [1]}, "there is no call [1]"),
    "name what": ({"command": "name_stream", "label": "x"}, "give source"),
    "ssrc too large": ({"command": "name_stream", "ssrc": 2**32}, "ssrc is a number from 0 to"),
    "ssrc below": ({"command": "name_stream", "ssrc": -1}, "ssrc is a number from 0 to"),
    "ssrc true": ({"command": "name_stream", "ssrc": True}, "ssrc is a number from 0 to"),
    "ssrc as text": ({"command": "name_stream", "ssrc": "1"}, "ssrc is a number from 0 to"),
    "source as list": ({"command": "name_stream", "source": []}, "source is a printable text"),
    "label as number": ({"command": "name_stream", "ssrc": 1, "label": 1}, "label is a printable"),
    "call as number": ({"command": "name_stream", "ssrc": 1, "call": 1}, "call is a printable"),
    "codec as list": ({"command": "name_stream", "ssrc": 1, "codec": [1]}, "codec: "),
}


@pytest.fixture
async def server(start: Start, moonshine: Engine) -> AsyncIterator[Running]:
    """A server with four ports for calls, two of which are RTP's."""
    async with start(moonshine, f'rtp.ports = "{four_ports()}"') as running:
        yield running


@pytest.fixture
async def viewer(server: Running) -> AsyncIterator[Viewer]:
    """Somebody who commands."""
    async with viewing(server) as watching:
        yield watching


async def test_what_is_no_object(viewer: Viewer) -> None:
    """What is not a JSON object is refused as such, and the next command is served."""
    for name, message in NO_OBJECTS.items():
        answer = await viewer.send(message)
        assert answer == {
            "event": "error",
            "code": "bad_command",
            "message": "a command is a JSON object in a text message",
        }, name
    assert await viewer.ask("list_calls") == {"event": "calls", "calls": []}


async def test_what_cannot_be(viewer: Viewer) -> None:
    """Every wrong command or value is refused with its reason and its request, and does nothing."""
    for name, (command, reason) in REFUSED.items():
        answer = await viewer.send(json.dumps({**command, "request": name}))
        released = command.get("command") == "release_call"
        assert answer["message"].startswith(reason), (name, answer)
        assert answer["code"] == ("no_such_call" if released else "bad_command"), name
        assert (answer["event"], answer["request"]) == ("error", name)
    assert (await viewer.ask("list_calls"))["calls"] == []


async def test_a_huge_message(server: Running) -> None:
    """A message over 64 KiB is refused and the socket closed; other viewers are not disturbed."""
    async with viewing(server) as other:
        for message in ("x" * 65_537, b"x" * 65_537, [" " * 40_000, " " * 40_000]):
            async with viewing(server) as viewer:
                await viewer.socket.send(message)
                answer = await viewer.read()
                assert (answer["event"], answer["code"]) == ("error", "too_large")
                with pytest.raises(ConnectionClosed):
                    await viewer.read()
                assert viewer.socket.close_code == 1009
        assert (await other.ask("list_calls"))["event"] == "calls"


async def test_ports_run_out(viewer: Viewer) -> None:
    """When all ports are in use it says so, keeps none, and gives those that become free."""
    assert (await viewer.ask("reserve_call", id="one"))["event"] == "call"
    refusal = await viewer.ask("reserve_call", id="two", legs=2)
    assert (refusal["code"], refusal["message"]) == ("busy", "all ports of rtp.ports are in use")
    assert (await viewer.ask("reserve_call", id="two", legs=1))["event"] == "call"
    assert (await viewer.ask("reserve_call", id="three"))["code"] == "busy"
    assert (await viewer.ask("release_call", id="one"))["event"] == "released"
    assert (await viewer.ask("reserve_call", id="three"))["event"] == "call"
    listed = (await viewer.ask("list_calls"))["calls"]
    assert [call["id"] for call in listed] == ["two", "three"]


async def test_an_id_is_taken_once(viewer: Viewer) -> None:
    """A call's id cannot be reserved again while it is there."""
    await viewer.ask("reserve_call", id="one")
    refusal = await viewer.ask("reserve_call", id="one")
    assert (refusal["code"], refusal["message"]) == ("bad_command", "there is a call one already")


async def test_names_are_bounded(viewer: Viewer) -> None:
    """A thousand streams can be named, and no more, but for a new name of one of them."""
    for ssrc in range(1000):
        assert await viewer.ask("name_stream", ssrc=ssrc, label="x") == {"event": "named"}
    assert await viewer.ask("name_stream", ssrc=0, label="y") == {"event": "named"}
    refusal = await viewer.ask("name_stream", ssrc=1000, label="x")
    assert (refusal["event"], refusal["code"]) == ("error", "busy")
