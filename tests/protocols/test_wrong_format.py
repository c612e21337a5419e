"""Bytes on a live socket that are not sound of the declared kind: recognised, and said once."""

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coqui_server.exceptions import NotAudio
from coqui_server.media.ffmpeg import find_ffmpeg
from coqui_server.media.format_check import FormatCheck
from tests.support.clips import clip, spoken
from tests.support.daemon import Running, all_closed
from tests.support.live import client, pieces

VOICE = clip("voicemail.wav")
pytestmark = pytest.mark.process

FILES = {
    "webm": (["-c:a", "libopus"], "WebM"),
    "ogg": (["-c:a", "libopus"], "Ogg"),
    "flac": ([], "FLAC"),
    "m4a": (["-c:a", "aac"], "MP4"),
    "aiff": ([], "AIFF"),
}
RAW = {
    "f32le": "32-bit float",
    "s16be": "big-endian 16-bit",
    "mulaw": "mulaw",
    "alaw": "alaw",
    "s16le": "linear16",
}


def encoded(form: str, *options: str) -> bytes:
    """The recording as ffmpeg encodes it."""
    command = [find_ffmpeg(), "-v", "error", "-i", str(VOICE.path), *options]
    command += ["-f", form, "-"]
    return subprocess.run(command, capture_output=True, check=True).stdout


def file(suffix: str, folder: Path) -> bytes:
    """The recording as a file of this kind."""
    path = folder / f"voice.{suffix}"
    command = [find_ffmpeg(), "-v", "error", "-i", str(VOICE.path), *FILES[suffix][0], str(path)]
    subprocess.run(command, check=True)
    return path.read_bytes()


def fault(encoding: str, data: bytes, size: int = 4000) -> str:
    """What the check finds in bytes of this declared encoding; empty for nothing."""
    check = FormatCheck(encoding)
    for piece in pieces(data, size):
        try:
            check.push(piece)
        except NotAudio as refusal:
            return f"{refusal}"
    return ""


@pytest.mark.parametrize("encoding", ["linear16", "mulaw", "g722", "opus"])
@pytest.mark.parametrize("suffix", FILES)
def test_a_file_is_known_by_its_first_bytes(suffix: str, encoding: str, tmp_path: Path) -> None:
    """Whatever raw encoding was declared, and however small the first messages are."""
    data = file(suffix, tmp_path)
    for size in (1, 3, 2000):
        message = fault(encoding, data, size)
        assert message.startswith("this is a")
        assert FILES[suffix][1] in message
        assert "file, not " + encoding in message
        assert len(message.encode()) <= 123, "it has to fit into the reason of a close"


@pytest.mark.parametrize("declared", ["linear16", "mulaw", "alaw"])
@pytest.mark.parametrize("form", RAW)
def test_raw_sound_of_another_encoding(form: str, declared: str) -> None:
    """It is named, or let pass where it is right; mu-law and A-law cannot always be told apart."""
    data = encoded(form, "-ac", "1", "-ar", "16000")
    message = fault(declared, data)
    named = f"the sound is {RAW[form]}, not {declared} as declared"
    if RAW[form] == declared:
        assert message == ""
    elif {RAW[form], declared} == {"mulaw", "alaw"}:
        assert message in ("", named)
    else:
        assert message == named


def test_bytes_without_a_head_that_are_compressed() -> None:
    """Such as a stream that began in the middle of a recording."""
    random = np.random.default_rng(5)
    assert "compressed or encrypted" in fault("linear16", random.bytes(64_000))


def sounds() -> dict[str, np.ndarray]:
    """Rough sounds that are right all the same, of full scale 1."""
    random = np.random.default_rng(5)
    place = np.arange(64_000)
    return {
        "white noise": random.normal(size=64_000) * 0.2,
        "loud even noise": random.uniform(-0.7, 0.7, 64_000),
        "a high tone": 0.6 * np.sin(2 * np.pi * 7000 / 16_000 * place),
        "clicks": 0.9 * (random.random(64_000) < 0.001),
        "clipped speech": np.clip(20 * np.resize(VOICE.pcm / 32768, 64_000), -0.99, 0.99),
        "the highest tone": np.where(place % 2, 0.3, -0.3),
        "silence": np.zeros(64_000),
    }


@pytest.mark.parametrize("name", sounds())
def test_rough_sound_is_let_pass(name: str) -> None:
    """A wrong alarm would end a session."""
    data = (32767 * sounds()[name]).astype("<i2").tobytes()
    assert [fault("linear16", data, size) for size in (2048, 6400, 16_000)] == [""] * 3


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["linear16", "mulaw", "g722", "opus"]))
def test_any_bytes_are_looked_at(data: bytes, encoding: str) -> None:
    """Nothing but the one refusal comes of them."""
    fault(encoding, data, 7)
    fault(encoding, data * 40, 4000)


PCM = {"sample_rate": 16_000}


@pytest.mark.parametrize("suffix", ["webm", "ogg"])
async def test_vosk_closes_with_the_reason(server: Running, suffix: str, tmp_path: Path) -> None:
    """The protocol has no error message: 1003, and the reason says what it is and where to go."""
    async with client(server, "/vosk") as user:
        await user.send({"config": PCM})
        await user.send_sound(file(suffix, tmp_path), 2000)
        code, reason = await user.closed()
    assert (code, user.received) == (1003, [])
    assert FILES[suffix][1] in str(reason)
    await all_closed(server)


ENDINGS: dict[str, tuple[dict[str, Any] | None, dict[str, Any]]] = {
    "/ws/v1/speech-to-text": ({"event": "start", "encoding": "linear16"}, {"event": "error"}),
    "/ws": (None, {"type": "error"}),
}


@pytest.mark.parametrize("path", ENDINGS)
async def test_the_error_comes_once_with_a_code(server: Running, path: str, tmp_path: Path) -> None:
    """Then the socket is closed: nothing that follows could be understood."""
    start, error = ENDINGS[path]
    for data in (file("webm", tmp_path), encoded("f32le", "-ac", "1", "-ar", "16000")):
        async with client(server, "/ws/events") as viewer, client(server, path) as user:
            if start:
                await user.send(start)
            await user.send_sound(data, 4000)
            assert (await user.closed())[0] == 1003
            ended = await viewer.until(event="session_end")
        last = user.received[-1]
        assert last.items() >= {**error, "code": "wrong_format"}.items()
        assert len([message for message in user.received if "code" in message]) == 1
        assert ended["error"] == last["message"]


async def test_webm_is_no_opus(server: Running, tmp_path: Path) -> None:
    """A browser's recorder makes WebM; `encoding: opus` means packets."""
    async with client(server, "/ws/v1/speech-to-text") as user:
        await user.send({"event": "start", "encoding": "opus"})
        await user.send_sound(file("webm", tmp_path), 2000)
        await user.closed()
    assert "WebM or Matroska file, not opus" in user.received[-1]["message"]


async def test_a_wav_head_is_let_pass(server: Running) -> None:
    """Clients of vosk-server send it along with the sound."""
    async with client(server, "/vosk") as user:
        await user.send({"config": PCM})
        await user.send_sound(VOICE.path.read_bytes())
        await user.send({"eof": 1})
        assert (await user.closed())[0] == 1000
    text = " ".join(message["text"] for message in user.received if message.get("text"))
    assert spoken(text) == spoken(VOICE.text)
