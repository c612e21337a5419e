"""Text as people write it or as the engine gave it, as each protocol asks for it."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from coqui_server.engines.base import Capabilities
from tests.support.clips import clip
from tests.support.daemon import Running, Start, all_closed
from tests.support.live import Message, Obstacle, client

pytestmark = pytest.mark.process

VOICE = clip("voicemail.wav")
SAID = "it costs twenty five dollars"
WRITTEN = "It costs $25"
LIVE = "/ws/v1/speech-to-text"


@pytest.fixture
def english() -> Obstacle:
    """An engine without capitals and digits, as Vosk."""
    return Obstacle(text=SAID, capabilities=Capabilities(languages=("en",)))


@pytest.fixture
async def server(start: Start, english: Obstacle) -> AsyncIterator[Running]:
    """A server with this engine and the defaults."""
    async with start(english) as running:
        yield running
        await all_closed(running)


async def live(server: Running, query: str, **values: str) -> Message:
    """The first final of `/ws/v1/speech-to-text`."""
    async with client(server, LIVE + query) as user:
        await user.send({"event": "start", "words": True, **values})
        await user.send_sound(VOICE.pcm)
        await user.send({"event": "stop"})
        return await user.until(event="transcript", is_final=True)


async def vosk(server: Running, query: str, **values: str) -> Message:
    """The last result of `/`, with all words that were not sent before."""
    async with client(server, f"/{query}") as user:
        await user.send({"config": {"sample_rate": 16_000, **values}})
        await user.socket.send(VOICE.pcm.tobytes())
        await user.send({"eof": 1})
        await user.closed()
        return next(reply for reply in user.received if reply.get("text"))


async def recording(server: Running, query: str, **values: str) -> Message:
    """The answer to a recording on `/ws`."""
    async with client(server, f"/ws{query}") as user:
        audio = base64.b64encode(VOICE.path.read_bytes()).decode()
        await user.send({"type": "audio", "audio": audio, **values})
        return await user.until(type="transcription")


async def sound(server: Running, query: str) -> Message:
    """The first final of sound on `/ws`."""
    async with client(server, f"/ws{query}") as user:
        await user.send_sound(VOICE.pcm)
        await user.send({"type": "stop"})
        return await user.until(type="final")


async def whole_file(server: Running, query: str) -> Message:
    """The answer to a file."""
    async with server.connect(query) as socket:
        await socket.send(VOICE.path.read_bytes())
        answer: Message = json.loads(await socket.recv())
        return answer


@pytest.mark.parametrize(
    ("ask", "query", "values", "expected"),
    [
        (live, "", {}, WRITTEN),
        (live, "", {"format": "verbatim"}, SAID),
        (live, "?format=verbatim", {}, SAID),
        (live, "?format=verbatim", {"format": "readable"}, WRITTEN),
        (vosk, "", {}, SAID),
        (vosk, "", {"format": "readable"}, WRITTEN),
        (vosk, "?format=readable", {}, WRITTEN),
        (recording, "", {}, WRITTEN),
        (recording, "", {"format": "verbatim"}, SAID),
        (recording, "?format=verbatim", {}, SAID),
        (sound, "", {}, WRITTEN),
        (sound, "?format=verbatim", {}, SAID),
        (whole_file, "", {}, WRITTEN),
        (whole_file, "?format=verbatim", {}, SAID),
    ],
)
async def test_each_protocol(
    server: Running, ask: Any, query: str, values: dict[str, str], expected: str
) -> None:
    """Readable for people, verbatim for vosk's clients, and either on request."""
    answer = await ask(server, query, **values)
    assert answer["text"].startswith(expected)
    for word in answer.get("words", []) + answer.get("result", []):
        assert word["word"] == SAID


@pytest.mark.parametrize(
    ("setting", "ask", "expected"),
    [
        ("text.format = verbatim", live, SAID),
        ("text.format = verbatim", whole_file, SAID),
        ("text.vosk = readable", vosk, WRITTEN),
    ],
)
async def test_the_settings(
    start: Start, english: Obstacle, setting: str, ask: Any, expected: str
) -> None:
    """What a request does not say is configured."""
    async with start(english, setting) as server:
        assert (await ask(server, ""))["text"].startswith(expected)


async def test_a_format_that_there_is_not(server: Running) -> None:
    """Each protocol refuses it in its own form."""
    async with client(server, LIVE) as user:
        await user.send({"event": "start", "format": "nice"})
        assert await user.next() == {
            "event": "error",
            "message": "format is verbatim or readable",
            "code": "bad_request",
        }
    async with client(server, "/?format=nice") as user:
        assert await user.closed() == (1008, "format is verbatim or readable")
    async with server.connect("?format=nice") as socket:
        await socket.send(VOICE.path.read_bytes())
        assert json.loads(await socket.recv())["message"] == "format is verbatim or readable"
