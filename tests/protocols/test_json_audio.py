"""`/ws`: recordings as base64 in JSON, and live sound beside them."""

import base64
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from coqui_server.engines.base import Engine
from tests.support.clips import clip, spoken
from tests.support.daemon import Running, Start, made
from tests.support.live import Client, Message, Obstacle, client, until

VOICE = clip("appointment.wav")
STATUS = {"type": "status", "message": "Processing audio..."}


async def answer(user: Client, recording: bytes, before: str = "") -> Message:
    """Send a recording; the answer after the status."""
    await user.send({"type": "audio", "audio": before + base64.b64encode(recording).decode()})
    assert await user.next() == STATUS
    return await user.next()


RECORDINGS = {
    "wav": (".wav", "-c:a pcm_s16le"),
    "ogg opus": (".ogg", "-c:a libopus -b:a 32k"),
    "webm opus, as a browser records": (
        ".webm",
        "-c:a libopus -b:a 48k -f webm -live 1 -cluster_time_limit 100",
    ),
    "m4a, as Safari records": (".m4a", "-c:a aac -b:a 64k"),
}


@pytest.mark.parametrize("before", ["", "data:audio/webm;codecs=opus;base64,"])
@pytest.mark.parametrize("name", RECORDINGS)
async def test_recordings(server: Running, tmp_path: Path, name: str, before: str) -> None:
    """Status, then the words; a data URL is taken as well."""
    suffix, arguments = RECORDINGS[name]
    data = made(*arguments.split(), source=VOICE.path, suffix=suffix, folder=tmp_path)
    async with client(server, "/ws") as user:
        for _ in range(2):
            said = await answer(user, data, before)
            assert (said["type"], said["status"]) == ("transcription", "success")
            assert spoken(said["text"]) == spoken(VOICE.text)
            assert said["segments"][-1]["end"] <= said["duration"]


async def test_live_sound(server: Running) -> None:
    """Binary messages are heard as they come: partials, finals, and after the stop anew."""
    async with client(server, "/ws") as user:
        for _ in range(2):
            user.received.clear()
            await until(lambda: not server.service.health()["decoders"]["running"])
            await user.send_sound(VOICE.pcm[:40_000])
            partial = await user.until(type="partial")
            assert partial.keys() == {"type", "text"}
            assert spoken(partial["text"]).startswith("your appointment")
            await user.send_sound(VOICE.pcm[40_000:])
            await user.send({"type": "stop"})
            await user.until(type="stopped")
            finals = [message["text"] for message in user.received if message["type"] == "final"]
            partials = [
                message["text"] for message in user.received if message["type"] == "partial"
            ]
            assert spoken(" ".join(finals)) == spoken(VOICE.text)
            assert all(a != b for a, b in pairwise(partials))


async def test_a_recording_in_the_middle_of_live_sound(server: Running) -> None:
    """Both go on one socket, each with its own words."""
    other = clip("voicemail.wav")
    async with client(server, "/ws") as user:
        await user.send_sound(VOICE.pcm[:40_000])
        await user.send(
            {"type": "audio", "audio": base64.b64encode(other.path.read_bytes()).decode()}
        )
        said = await user.until(type="transcription")
        assert spoken(said["text"]) == spoken(other.text)
        await user.send_sound(VOICE.pcm[40_000:])
        await user.send({"type": "stop"})
        await user.until(type="stopped")
    finals = [message["text"] for message in user.received if message["type"] == "final"]
    assert spoken(" ".join(finals)) == spoken(VOICE.text)


async def test_a_client_that_goes_in_mid_word(server: Running) -> None:
    """Its session is finished and announced."""
    async with client(server, "/ws/events?kind=live") as viewer, client(server, "/ws") as user:
        await user.send_sound(VOICE.pcm[:45_000])
        await user.until(type="partial")
        user.socket.transport.abort()
        ended = await viewer.until(event="session_end")
    assert ended["error"] is None
    assert [event for event in viewer.received if event["event"] == "final"]


_NOT_BASE64: list[Any] = ["?", "AAA", "AAAA\n", "é", "data:,x", "="]
_NO_TEXT: list[Any] = [5, None, [], {}, True]
NO_RECORDING: list[tuple[Any, str, str]] = [
    *((wrong, "bad_request", "base64") for wrong in _NOT_BASE64),
    *((wrong, "bad_request", '"audio" is a text') for wrong in _NO_TEXT),
    ("", "empty", ""),
    ("data:audio/webm;base64,", "empty", ""),
    (base64.b64encode(b"no sound here" * 100).decode(), "not_audio", ""),
    (base64.b64encode(bytes(2)).decode(), "not_audio", ""),
]


async def test_recordings_that_are_none(server: Running) -> None:
    """Each has an error, and the socket goes on."""
    async with client(server, "/ws") as user:
        for audio, code, hint in NO_RECORDING:
            await user.send({"type": "audio", "audio": audio})
            assert await user.next() == STATUS
            error = await user.next()
            assert (error["type"], error["code"]) == ("error", code), audio
            assert hint in error["message"], audio
        said = await answer(user, VOICE.path.read_bytes())
        assert spoken(said["text"]) == spoken(VOICE.text)


async def test_messages_that_are_wrong(server: Running) -> None:
    """Before live sound and in it: an error, and the socket goes on."""
    messages = [
        '{"type": "video"}',
        "{}",
        '{"type": ["audio"]}',
        "[]",
        "no",
        "",
        "null",
        '{"type": "\\ud800"}',
        "[" * 100_000,
    ]
    async with client(server, "/ws") as user:
        for sound in (b"", b"a", VOICE.pcm[:30_000].tobytes()[1:]):
            if sound:
                await user.socket.send(sound)
            for message in messages:
                await user.socket.send(message)
                error = await user.until(type="error")
                assert error["code"] == "bad_request", message
        await user.send({"type": "stop"})
        await user.until(type="stopped")


async def test_a_recording_that_is_too_long(start: Start, moonshine: Engine) -> None:
    """`audio.max_duration` holds here too; one that is too long is no reason to part."""
    settings = "audio.max_duration = 5 s"
    async with start(moonshine, settings) as server, client(server, "/ws") as user:
        long = await answer(user, clip("voicemail.wav").path.read_bytes())
        assert (long["type"], long["code"]) == ("error", "too_large")
        said = await answer(user, VOICE.path.read_bytes())
        assert spoken(said["text"]) == spoken(VOICE.text)


@pytest.mark.process
async def test_an_engine_failure(start: Start) -> None:
    """It is our fault: an error, and 1011."""
    async with start(Obstacle(fails=True)) as server, client(server, "/ws") as user:
        failed = await answer(user, VOICE.path.read_bytes())
        assert failed == {
            "type": "error",
            "message": "the recogniser obstacle failed",
            "code": "engine_failed",
        }
        assert (await user.closed())[0] == 1011


async def test_more_than_max_sessions(start: Start, moonshine: Engine) -> None:
    """Live sound is refused with 1013; a recording beside live sound with an error alone."""
    async with (
        start(moonshine, "server.max_sessions = 1") as server,
        client(server, "/ws") as first,
        client(server, "/ws") as second,
    ):
        await first.send_sound(VOICE.pcm[:40_000])
        await first.until(type="partial")
        await second.socket.send(bytes(640))
        assert (await second.closed())[0] == 1013
        assert [message["code"] for message in second.received] == ["busy"]
        await first.send({"type": "audio", "audio": "AAAA"})
        assert (await first.until(type="error"))["code"] == "busy"
        await first.send_sound(VOICE.pcm[40_000:])
        await first.send({"type": "stop"})
        await first.until(type="final")
