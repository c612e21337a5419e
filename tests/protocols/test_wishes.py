"""What requests ask for, on each socket: terms reach the engine, speakers the session."""

import base64
from typing import Any

import pytest

from tests.support.clips import clip
from tests.support.daemon import Running, Start, all_closed, send
from tests.support.live import Message, Obstacle, client

pytestmark = pytest.mark.process

VOICE = clip("appointment.wav")
RECORDING = VOICE.path.read_bytes()
NAMES = ["Ana Roe", "Vevay"]
ADDRESS = "?terms=Ana%20Roe,Vevay"


async def whole_file(server: Running, query: str, _: Message) -> None:
    """A file on `/api/v1/stt`."""
    await send(server, RECORDING, query)


async def recording(server: Running, query: str, values: Message) -> None:
    """A recording on `/ws`."""
    async with client(server, f"/ws{query}") as user:
        audio = base64.b64encode(RECORDING).decode()
        await user.send({"type": "audio", "audio": audio, **values})
        await user.until(type="transcription")


async def sound(server: Running, query: str, _: Message) -> None:
    """Sound on `/ws`."""
    async with client(server, f"/ws{query}") as user:
        await user.send_sound(VOICE.pcm)
        await user.send({"type": "stop"})
        await user.until(type="stopped")


async def live(server: Running, query: str, values: Message) -> None:
    """Sound on the native protocol."""
    async with client(server, f"/ws/v1/speech-to-text{query}") as user:
        await user.send({"event": "start", **values})
        await user.send_sound(VOICE.pcm)
        await user.send({"event": "stop"})
        await user.until(event="stopped")


async def vosk(server: Running, query: str, values: Message) -> None:
    """Sound as vosk-server's clients send it."""
    async with client(server, f"/vosk{query}") as user:
        await user.send({"config": {"sample_rate": 16_000, **values}})
        await user.socket.send(VOICE.pcm.tobytes())
        await user.send({"eof": 1})
        await user.closed()


@pytest.mark.parametrize(
    ("ask", "query", "values"),
    [
        (whole_file, ADDRESS, {}),
        (recording, ADDRESS, {}),
        (recording, "?terms=Bert", {"terms": NAMES}),
        (recording, "", {"terms": "Ana Roe,Vevay"}),
        (sound, ADDRESS, {}),
        (live, ADDRESS, {}),
        (live, "?terms=Bert", {"terms": NAMES}),
        (vosk, ADDRESS, {}),
        (vosk, "", {"terms": NAMES}),
    ],
)
async def test_terms(start: Start, ask: Any, query: str, values: Message) -> None:
    """In the address or in the message, which counts more."""
    engine = Obstacle()
    async with start(engine) as server:
        await ask(server, query, values)
        assert {options.terms for options in engine.options} == {tuple(NAMES)}
        await all_closed(server)


async def test_speakers_of_vosks_clients(start: Start) -> None:
    """The session has them, though the protocol has no place for them."""
    async with start(Obstacle()) as server, client(server, "/vosk?speakers=auto") as user:
        await user.send({"config": {"sample_rate": 16_000, "speakers": 2}})
        await user.send_sound(VOICE.pcm[:1600])
        await user.next()
        (session,) = server.service.sessions
        assert session.request.speakers == 2


async def test_channels_in_the_address(start: Start) -> None:
    """`/ws` takes the wishes of a file there, too, and refuses one that there is not."""
    async with start(Obstacle()) as server, client(server, "/ws?channels=all") as user:
        await user.send({"type": "audio", "audio": base64.b64encode(RECORDING).decode()})
        refused = await user.until(type="error")
        assert refused["message"] == 'found channels "all", allowed: auto, mix, split'
