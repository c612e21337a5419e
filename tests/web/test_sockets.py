"""The socket protocols on the console's port: the same handlers, limits and refusals."""

import json
from dataclasses import replace
from http import HTTPStatus

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from coqui_server.engines.base import AnyEngine
from tests.support.clips import clip, spoken
from tests.support.daemon import Running, Start, send
from tests.support.live import client

VOICE = clip("appointment.wav")


def on_the_console(server: Running) -> Running:
    """The same server, its sockets reached by the console's port."""
    return replace(server, url=server.console.replace("http:", "ws:"))


async def test_a_whole_file(server: Running) -> None:
    """One binary message in, its transcript out, and a close with 1000."""
    answer = await send(on_the_console(server), VOICE.path.read_bytes())
    assert (spoken(answer.text), answer.code) == (spoken(VOICE.text), 1000)


async def test_a_file_in_fragments_may_pass_the_limit_of_a_frame(
    start: Start, moonshine: AnyEngine
) -> None:
    """Fragments are taken as they come, also here: the limit is one frame's."""
    data = VOICE.path.read_bytes()
    limit = len(data) // 3
    async with start(moonshine, f"server.websocket.max_frame = {limit}", console=True) as running:
        server = on_the_console(running)
        async with server.connect() as socket:
            await socket.send(data[at : at + limit] for at in range(0, len(data), limit))
            assert spoken(json.loads(await socket.recv())["text"]) == spoken(VOICE.text)
        refused = await send(server, data)
    assert refused.error == ("too_large", 1009)


async def test_speech_to_text(server: Running) -> None:
    """Start, speak, read along, stop."""
    async with client(on_the_console(server), "/ws/v1/speech-to-text") as speaker:
        await speaker.send({"event": "start"})
        await speaker.send_sound(VOICE.pcm)
        await speaker.send({"event": "stop"})
        stopped = await speaker.until(event="stopped")
    assert spoken(stopped["full_transcription"]) == spoken(VOICE.text)
    assert any(not heard.get("is_final", True) for heard in speaker.received)


@pytest.mark.parametrize("path", ["/vosk", "/"])
async def test_vosk(server: Running, path: str) -> None:
    """Vosk's protocol, also where a GET finds a page."""
    async with client(on_the_console(server), path) as speaker:
        await speaker.send({"config": {"sample_rate": 16000}})
        await speaker.send_sound(VOICE.pcm.tobytes(), 32000)
        await speaker.send({"eof": 1})
        assert await speaker.closed() == (1000, "")
    said = " ".join(heard["text"] for heard in speaker.received if "text" in heard)
    assert spoken(said) == spoken(VOICE.text)


async def test_events(server: Running) -> None:
    """What is said on one port is told on the other."""
    async with (
        client(on_the_console(server), "/ws/events?kind=file") as viewer,
        server.connect() as socket,
    ):
        await viewer.send({"command": "list_calls"})
        assert await viewer.until(event="calls") == {"event": "calls", "calls": []}
        await socket.send(VOICE.path.read_bytes())
        await viewer.until(event="session_end")
    said = " ".join(heard["text"] for heard in viewer.received if heard["event"] == "final")
    assert spoken(said) == spoken(VOICE.text)


@pytest.mark.parametrize(
    ("path", "origin", "status"),
    [
        ("/ws/events", "https://evil.example", HTTPStatus.FORBIDDEN),
        ("/nothing", None, HTTPStatus.NOT_FOUND),
        ("/health", None, HTTPStatus.NOT_FOUND),
    ],
)
async def test_refusals(server: Running, path: str, origin: str | None, status: HTTPStatus) -> None:
    """Pages of other sites, and paths where no protocol is."""
    address = on_the_console(server).url + path
    with pytest.raises(InvalidStatus) as refused:
        await connect(address, origin=Origin(origin) if origin else None)
    assert refused.value.response.status_code == status


async def test_a_page_of_the_console_may_connect(server: Running) -> None:
    """Its origin is the host that it connects to."""
    address = on_the_console(server).url + "/ws/v1/speech-to-text"
    async with connect(address, origin=Origin(server.console)) as socket:
        await socket.send("{}")
        assert json.loads(await socket.recv())["code"] == "bad_request"


async def test_a_client_is_told_apart_from_the_rest_of_its_connection(server: Running) -> None:
    """Text where sound should be is refused as on the speech port, with reason and code."""
    answer = await send(on_the_console(server), "hello")
    assert answer.error == ("not_binary", 1003)
    async with on_the_console(server).connect("?engine=none") as socket:
        await socket.send(b"RIFF")
        assert json.loads(await socket.recv())["code"] == "bad_request"
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == 1008
