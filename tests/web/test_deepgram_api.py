"""Deepgram's prerecorded API, asked by its official client; and its sockets on the same port."""

import wave
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from deepgram.core.api_error import ApiError

from coqui_server.engines.base import Capabilities, Engine
from tests.support.clips import clip, spoken
from tests.support.daemon import Running, Start
from tests.support.deepgram_clients import Message, listening, sdk
from tests.support.live import Obstacle
from tests.web.people import PASSWORD

VOICE, OTHER = clip("appointment.wav"), clip("voicemail.wav")


async def transcribed(server: Running, file: bytes, key: str = "any", **wishes: Any) -> Message:
    """The client's answer, as JSON again."""
    async with sdk(server.console, key) as client:
        media = client.listen.v1.media
        reply = await media.transcribe_file(request=file, model="nova-3", **wishes)
    return dict(reply.model_dump(warnings=False))


def best(reply: Message, channel: int = 0) -> Message:
    """The best reading of a channel."""
    alternative: Message = reply["results"]["channels"][channel]["alternatives"][0]
    return alternative


def both(folder: Path) -> bytes:
    """A WAV with a person on each channel."""
    frames = np.zeros((max(len(VOICE.pcm), len(OTHER.pcm)), 2), np.int16)
    frames[: len(VOICE.pcm), 0], frames[: len(OTHER.pcm), 1] = VOICE.pcm, OTHER.pcm
    path = folder / "both.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(frames.tobytes())
    return path.read_bytes()


async def test_a_file(server: Running) -> None:
    """Its text, and a session of that id in the store."""
    reply = await transcribed(server, OTHER.path.read_bytes())
    assert spoken(best(reply)["transcript"]) == spoken(OTHER.text)
    about = reply["metadata"]
    assert (about["channels"], about["duration"]) == (1, pytest.approx(6.36, abs=0.05))
    assert [info["arch"] for info in about["model_info"].values()] == ["moonshine"]
    assert server.store
    kept = await server.store.sessions.get(None, about["request_id"])
    assert kept.kind == "file"
    assert "utterances" not in reply["results"] or reply["results"]["utterances"] is None


async def test_utterances_and_paragraphs(server: Running) -> None:
    """The same text in pieces with their times."""
    wishes: dict[str, Any] = {"utterances": True, "paragraphs": True, "punctuate": True}
    reply = await transcribed(server, OTHER.path.read_bytes(), **wishes)
    said = reply["results"]["utterances"]
    assert spoken(" ".join(one["transcript"] for one in said)) == spoken(OTHER.text)
    assert all(0 <= one["start"] < one["end"] < 6.4 and one["channel"] == 0 for one in said)
    paragraphs = best(reply)["paragraphs"]
    assert spoken(paragraphs["transcript"]) == spoken(OTHER.text)
    sentences = [s["text"] for part in paragraphs["paragraphs"] for s in part["sentences"]]
    assert sentences == [one["transcript"] for one in said]
    assert sum(part["num_words"] for part in paragraphs["paragraphs"]) == len(OTHER.text.split())


async def test_each_channel_by_itself(server: Running, tmp_path: Path) -> None:
    """With `multichannel`, and together without it."""
    reply = await transcribed(server, both(tmp_path), multichannel=True, utterances=True)
    assert spoken(best(reply, 0)["transcript"]) == spoken(VOICE.text)
    assert spoken(best(reply, 1)["transcript"]) == spoken(OTHER.text)
    assert reply["metadata"]["channels"] == 2
    assert {one["channel"] for one in reply["results"]["utterances"]} == {0, 1}
    mixed = await transcribed(server, both(tmp_path))
    assert len(mixed["results"]["channels"]) == 1


async def test_a_file_without_a_header(server: Running) -> None:
    """The address says what the bytes are, with any number of channels."""
    frames = np.stack([VOICE.pcm, np.zeros_like(VOICE.pcm)], axis=1).tobytes()
    more = {"additional_query_parameters": {"sample_rate": 16_000, "channels": 2}}
    wishes: dict[str, Any] = {"encoding": "linear16", "multichannel": True, "request_options": more}
    reply = await transcribed(server, frames, **wishes)
    assert spoken(best(reply)["transcript"]) == spoken(VOICE.text)
    assert best(reply, 1)["transcript"] == ""


async def test_words(start: Start, moonshine: Engine, vosk: Engine) -> None:
    """The language chooses an engine, which has words with their times."""
    korean = clip("korean.wav")
    async with start(moonshine, console=True, others=[vosk]) as server:
        reply = await transcribed(server, korean.path.read_bytes(), language="ko")
    words = best(reply)["words"]
    assert [word["punctuated_word"] for word in words] == best(reply)["transcript"].split()
    assert all(word["start"] < word["end"] and 0 <= word["confidence"] <= 1 for word in words)


async def test_refusals(server: Running, web: httpx.AsyncClient) -> None:
    """They have Deepgram's form, and the official client raises its own error."""
    with pytest.raises(ApiError) as refusal:
        await transcribed(server, b"no sound")
    assert refusal.value.status_code == 415
    assert refusal.value.body["err_code"] == "NOT_AUDIO"
    wrong: list[dict[str, Any]] = [
        {"json": {"url": "http://127.0.0.1/a.wav"}},
        {"content": b"x", "params": {"callback": "http://127.0.0.1"}},
        {"content": b"x", "params": {"language": "xx"}},
        {"content": b"x", "params": {"encoding": "foo"}},
        {"content": b"", "params": {}},
    ]
    for options in wrong:
        answer = await web.post("/v1/listen", **options)
        assert answer.status_code in (400, 415)
        assert answer.json().keys() == {"err_code", "err_msg", "request_id"}
        assert answer.headers["dg-request-id"] == answer.json()["request_id"]


async def test_a_file_that_is_too_large(start: Start, moonshine: Engine) -> None:
    """The limit is that of every file."""
    async with start(moonshine, "server.websocket.max_size = 1000", console=True) as server:
        with pytest.raises(ApiError) as refusal:
            await transcribed(server, VOICE.path.read_bytes())
    assert refusal.value.status_code == 413


async def test_keys_are_tokens(start: Start, moonshine: Engine) -> None:
    """Where people have to sign in, the client's key is a token, and the session its user's."""
    async with start(moonshine, "auth.required = true", console=True) as server:
        assert server.store
        await server.store.users.add("anna", PASSWORD)
        key, _ = await server.store.tokens.add("anna", "test", timedelta(days=1))
        with pytest.raises(ApiError) as refusal:
            await transcribed(server, VOICE.path.read_bytes())
        assert refusal.value.status_code == 401
        reply = await transcribed(server, VOICE.path.read_bytes(), key)
        kept = await server.store.sessions.get("anna", reply["metadata"]["request_id"])
        assert kept.owner == "anna"
        with pytest.raises(ApiError) as refusal:
            async with listening(server.console, encoding="linear16"):
                raise AssertionError("it was let in")
        assert refusal.value.status_code == 401
        async with listening(server.console, key, encoding="linear16") as stream:
            await stream.send_sound(VOICE.pcm)
            await stream.end()
    assert spoken(stream.finals()) == spoken(VOICE.text)


async def test_live_results_on_the_same_port(server: Running) -> None:
    """One address serves files and sockets."""
    async with listening(server.console, encoding="linear16", sample_rate=16_000) as stream:
        await stream.send_sound(VOICE.pcm)
        await stream.end()
    assert spoken(stream.finals()) == spoken(VOICE.text)


@pytest.mark.parametrize("wish", ["smart_format", "punctuate", "numerals"])
async def test_figures_on_request(start: Start, wish: str) -> None:
    """The text is the engine's own unless the client wants it as people write it."""
    sound = VOICE.path.read_bytes()
    english = Obstacle(
        text="it is twenty five dollars", capabilities=Capabilities(languages=("en",))
    )
    wishes: dict[str, Any] = {wish: True}
    async with start(english, console=True) as server:
        plain = best(await transcribed(server, sound))["transcript"]
        written = best(await transcribed(server, sound, **wishes))["transcript"]
    assert plain.startswith("it is twenty five dollars")
    assert written.startswith("It is $25")
