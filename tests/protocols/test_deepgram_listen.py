"""Deepgram's live protocol, spoken by its official client."""

import json
import subprocess
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from deepgram.core.api_error import ApiError
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from coqui_server.engines.base import Capabilities, Engine
from coqui_server.media.ffmpeg import find_ffmpeg
from coqui_server.media.samples import Samples
from coqui_server.protocols import deepgram_listen
from tests.support.clips import clip, spoken
from tests.support.daemon import Running, Start
from tests.support.deepgram_clients import listening
from tests.support.live import Obstacle, client

VOICE, OTHER = clip("appointment.wav"), clip("voicemail.wav")
LINEAR: dict[str, Any] = {"encoding": "linear16", "sample_rate": 16_000}
SILENCE = np.zeros(24_000, np.int16)


def address(server: Running) -> str:
    """Of the speech port, as the client wants it."""
    return server.url.replace("ws:", "http:")


def converted(*arguments: str) -> bytes:
    """The sample in another form."""
    command = [find_ffmpeg(), "-v", "error", "-i", str(VOICE.path), *arguments, "-"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def stereo(left: Samples, right: Samples) -> bytes:
    """Two sounds, sample by sample; the shorter one ends in silence."""
    frames = np.zeros((max(len(left), len(right)), 2), np.int16)
    frames[: len(left), 0], frames[: len(right), 1] = left, right
    return frames.tobytes()


async def test_interim_and_final_results(server: Running) -> None:
    """The text comes while it is spoken, then settled, then what the stream was."""
    async with listening(address(server), **LINEAR, interim_results=True) as stream:
        await stream.send_sound(VOICE.pcm[:40_000])
        interim = await stream.until(type="Results", is_final=False)
        await stream.send_sound(VOICE.pcm[40_000:])
        metadata = await stream.end()
    text = interim["channel"]["alternatives"][0]["transcript"]
    assert spoken(text).startswith("your appointment")
    assert not interim["speech_final"]
    assert spoken(stream.finals()) == spoken(VOICE.text)
    finals = [message for message in stream.received if message.get("is_final")]
    assert all(final["speech_final"] and not final["from_finalize"] for final in finals)
    assert all(final["channel_index"] == [0, 1] for final in finals)
    assert 0 <= finals[0]["start"] < 1
    assert 2 < finals[-1]["start"] + finals[-1]["duration"] < 5
    assert metadata["type"] == "Metadata"
    assert metadata["channels"] == 1
    assert metadata["duration"] == pytest.approx(len(VOICE.pcm) / 16_000, abs=0.1)
    assert {final["metadata"]["request_id"] for final in finals} == {metadata["request_id"]}


async def test_finals_only(server: Running) -> None:
    """Without `interim_results` nothing comes that may change."""
    async with listening(address(server), **LINEAR) as stream:
        await stream.send_sound(VOICE.pcm)
        await stream.end()
    assert {message["type"] for message in stream.received} == {"Results", "Metadata"}
    assert all(m["is_final"] for m in stream.received if m["type"] == "Results")


async def test_speech_started_and_utterance_end(server: Running) -> None:
    """Where somebody begins to speak, and the silence that the client asked for after it."""
    wishes = {**LINEAR, "vad_events": True, "utterance_end_ms": 1000, "interim_results": True}
    async with listening(address(server), **wishes) as stream:
        await stream.send_sound(VOICE.pcm)
        await stream.send_sound(SILENCE)
        ended = await stream.until(type="UtteranceEnd")
        await stream.send_sound(VOICE.pcm)
        await stream.end()
    kinds = [message["type"] for message in stream.received]
    assert kinds[0] == "SpeechStarted"
    assert kinds.count("UtteranceEnd") == 1
    assert ended["channel"] == [0, 1]
    assert 3.5 < ended["last_word_end"] < 5
    started = [m["timestamp"] for m in stream.received if m["type"] == "SpeechStarted"]
    assert started == sorted(set(started))
    assert started[0] < 1
    assert started[-1] > 5.5
    order = [message["type"] for message in stream.received if message["type"] != "Results"]
    assert order[order.index("UtteranceEnd") + 1] == "SpeechStarted"


async def test_finalize(server: Running) -> None:
    """The open utterance is settled at once; with nothing open there is an empty result."""
    async with listening(address(server), **LINEAR) as stream:
        await stream.send_sound(VOICE.pcm[:46_000])
        await stream.socket.send_finalize()
        settled = await stream.until(from_finalize=True)
        stream.received.clear()
        await stream.socket.send_finalize()
        empty = await stream.until(from_finalize=True)
        await stream.socket.send_keep_alive()
        await stream.end()
    text = spoken(settled["channel"]["alternatives"][0]["transcript"])
    assert text.startswith("your appointment is on monday morning")
    assert settled["is_final"]
    assert empty["channel"]["alternatives"][0]["transcript"] == ""


async def test_a_stream_without_sound(server: Running) -> None:
    """It has no text and no error, whether its encoding was named or not."""
    for wishes in (LINEAR, {}):
        async with listening(address(server), **wishes) as stream:
            metadata = await stream.end()
        assert metadata["duration"] == 0


async def test_each_channel_by_itself(server: Running) -> None:
    """Two people at once, each with results of their own."""
    wishes = {**LINEAR, "channels": 2, "multichannel": True, "vad_events": True}
    async with listening(address(server), **wishes) as stream:
        # Cut in the middle of samples.
        await stream.send_sound(stereo(VOICE.pcm, OTHER.pcm), 7777)
        await stream.socket.send_finalize()
        await stream.until(from_finalize=True, channel_index=[1, 2])
        metadata = await stream.end()
    assert spoken(stream.finals(0)) == spoken(VOICE.text)
    assert spoken(stream.finals(1)) == spoken(OTHER.text)
    assert metadata["channels"] == 2
    started = [m["channel"] for m in stream.received if m["type"] == "SpeechStarted"]
    assert {tuple(channel) for channel in started} == {(0, 2), (1, 2)}


async def test_channels_are_mixed_unless_asked(server: Running) -> None:
    """One text of what is on either of them."""
    empty = np.zeros_like(VOICE.pcm)
    async with listening(address(server), **LINEAR, channels=2) as stream:
        await stream.send_sound(stereo(empty, VOICE.pcm))
        await stream.end()
    assert spoken(stream.finals()) == spoken(VOICE.text)


FORMS: Mapping[str, tuple[dict[str, Any], str]] = {
    "mu-law": ({"encoding": "mulaw", "sample_rate": 8000}, "-ar 8000 -f mulaw"),
    "linear16 at 48 kHz": ({"encoding": "linear16", "sample_rate": 48_000}, "-ar 48000 -f s16le"),
    "linear32": ({"encoding": "linear32", "sample_rate": 16_000}, "-f f32le"),
    "WAV": ({}, "-f wav"),
    "FLAC": ({"encoding": "flac"}, "-f flac"),
    "Ogg Opus": ({"encoding": "ogg-opus", "sample_rate": 48_000}, "-c:a libopus -f ogg"),
    "WebM of a browser": ({}, "-c:a libopus -f webm"),
}


@pytest.mark.parametrize("name", FORMS)
async def test_encodings_and_containers(server: Running, name: str) -> None:
    """Sound without a header is what the address says; any other is found out."""
    wishes, arguments = FORMS[name]
    sound = converted(*arguments.split())
    async with listening(address(server), **wishes) as stream:
        await stream.send_sound(sound, 4001)
        await stream.end()
    assert spoken(stream.finals()) == spoken(VOICE.text)


async def test_each_channel_of_a_container(server: Running) -> None:
    """As many as the address says; one that the file lacks is silent."""
    sound = converted("-c:a", "libopus", "-f", "webm")
    async with listening(address(server), channels=2, multichannel=True) as stream:
        await stream.send_sound(sound)
        await stream.end()
    assert spoken(stream.finals(0)) == spoken(VOICE.text)
    assert stream.finals(1) == ""


async def test_words_as_they_are_written(start: Start, vosk: Engine, moonshine: Engine) -> None:
    """An engine that has words gives their times; the language chooses the engine."""
    korean = clip("korean.wav")
    async with (
        start(moonshine, others=[vosk]) as server,
        listening(address(server), **LINEAR, language="ko") as stream,
    ):
        await stream.send_sound(korean.pcm)
        await stream.end()
    final = next(message for message in stream.received if message.get("is_final"))
    best = final["channel"]["alternatives"][0]
    assert [word["punctuated_word"] for word in best["words"]] == best["transcript"].split()
    assert all(word["start"] < word["end"] for word in best["words"])
    assert final["metadata"]["model_info"]["arch"] == "vosk"


async def test_key_terms(start: Start) -> None:
    """Engines get them as names and terms to favour."""
    able = Obstacle(name="able", capabilities=Capabilities(terms=True))
    async with start(able) as server:
        query = "?keyterm=Anna&keyterm=dental%20office&keywords=Monday:2"
        async with client(server, f"/v1/listen{query}&encoding=linear16") as user:
            await user.send_sound(VOICE.pcm)
            await user.send({"type": "CloseStream"})
            await user.until(type="Metadata")
    assert {options.terms for options in able.options} == {("Anna", "dental office", "Monday")}


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("encoding=foo", "encoding is one of linear16, "),
        ("encoding=linear16&sample_rate=1", "sample_rate is a whole number of hertz"),
        ("encoding=linear16&channels=9", "channels is a whole number, 1 to 8"),
        ("encoding=g722&channels=2", "g722 has one channel"),
        ("language=xx", "language is en with moonshine"),
        ("callback=http://a.example", "there are no callbacks of live results"),
        ("utterance_end_ms=soon", "utterance_end_ms is a whole number"),
    ],
)
async def test_wrong_queries(server: Running, query: str, problem: str) -> None:
    """They are refused before the handshake, with the reason in a header and as JSON."""
    with pytest.raises(InvalidStatus) as refusal:
        await connect(f"{server.url}/v1/listen?&model=nova-3&{query}")
    response = refusal.value.response
    assert response.status_code == 400
    assert response.headers["dg-error"].startswith(problem)
    body = json.loads(response.body)
    assert body["err_msg"].startswith(problem)
    assert body["request_id"] == response.headers["dg-request-id"]


async def test_the_client_raises_its_own_error(server: Running) -> None:
    """The official client knows a refused handshake for one."""
    with pytest.raises(ApiError) as refusal:
        async with listening(address(server), encoding="foo"):
            raise AssertionError("it was let in")
    assert refusal.value.status_code == 400


async def test_the_request_has_an_id_from_the_handshake_on(server: Running) -> None:
    """The header of the answer has the id of the results. Wishes that nobody knows are ignored."""
    query = "?&model=x&encoding=linear16&no_delay=true&interim_results=True&tag="
    async with client(server, f"/v1/listen{query}") as user:
        assert user.socket.response
        id = user.socket.response.headers["dg-request-id"]
        await user.send({"type": "Configure", "thresholds": {}})
        await user.socket.send(b"")
        assert (await user.next())["request_id"] == id
        assert await user.closed() == (1000, "")


async def test_browsers_name_their_key_as_a_subprotocol(server: Running) -> None:
    """Only the scheme is echoed, as Chrome takes no name that it did not offer."""
    offered = [Subprotocol("token"), Subprotocol("KEY")]
    path = f"{server.url}/v1/listen?encoding=linear16"
    async with connect(path, subprotocols=offered) as socket:
        assert socket.subprotocol == "token"


async def closed_with(server: Running, query: str, sound: bytes) -> tuple[int | None, str | None]:
    """The close code and reason after such sound."""
    async with client(server, f"/v1/listen?{query}") as user:
        await user.socket.send(sound)
        await user.send({"type": "CloseStream"})
        return await user.closed()


async def test_bytes_that_are_no_sound(server: Running) -> None:
    """The stream is closed with Deepgram's code for it."""
    noise = np.random.default_rng(1).bytes(200_000)
    for query in ("encoding=linear16&sample_rate=16000", "model=nova-3"):
        code, reason = await closed_with(server, query, noise)
        assert code == 1008
        assert reason
        assert reason.startswith("DATA-0000")


async def test_a_client_that_says_nothing(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was said is kept, and the stream is closed with Deepgram's code for it."""
    monkeypatch.setattr(deepgram_listen, "PATIENCE", 0.2)
    async with client(server, "/v1/listen?encoding=linear16") as user:
        await user.send_sound(VOICE.pcm)
        code, reason = await user.closed()
    assert code == 1011
    assert reason
    assert reason.startswith("NET-0001")
    texts = [m["channel"]["alternatives"][0]["transcript"] for m in user.received]
    assert spoken(" ".join(texts)) == spoken(VOICE.text)


async def test_an_engine_that_fails(start: Start) -> None:
    """The stream is closed with Deepgram's code for it."""
    async with (
        start(Obstacle(fails=True)) as server,
        client(server, "/v1/listen?encoding=linear16") as user,
    ):
        await user.send_sound(VOICE.pcm)
        await user.send({"type": "Finalize"})
        code, reason = await user.closed()
    assert code == 1011
    assert reason
    assert reason.startswith("NET-0000")


async def test_no_room(start: Start) -> None:
    """A stream that could not be transcribed in time is not begun."""
    async with start(Obstacle(), "server.max_sessions = 1") as server:
        path = "/v1/listen?encoding=linear16"
        async with client(server, path) as first:
            await first.send_sound(VOICE.pcm[:3200])
            async with client(server, f"{path}&channels=2&multichannel=true") as second:
                with pytest.raises(ConnectionClosed):
                    await second.socket.recv()
            assert second.socket.close_code == 1013
