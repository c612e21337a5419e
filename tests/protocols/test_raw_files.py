"""`/api/v1/stt` with files that have no header: the address names their encoding."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from coqui_server.engines.base import Engine
from tests.support.clips import clip, spoken
from tests.support.daemon import Running, Start, made, send

VOICE = clip("voicemail.wav")

FORMS = {
    "encoding=mulaw": "-ar 8000 -f mulaw",
    "encoding=PCMU&sample_rate=16000": "-ar 16000 -f mulaw",
    "encoding=alaw&sample_rate=8000": "-ar 8000 -f alaw",
    "encoding=g722": "-ar 16000 -f g722",
    "encoding=G722&sample_rate=8000": "-ar 16000 -f g722",
    "encoding=gsm": "-ar 8000 -c:a libgsm -f gsm",
    "encoding=linear16": "-ar 16000 -f s16le",
    "encoding=linear16&sample_rate=44100&track=1": "-ar 44100 -f s16le",
    "encoding=L16&sample_rate=8000": "-ar 8000 -f s16be",
}

ENCODINGS = (
    "encoding is one of linear16, L16, linear32, u8, s24le, s32le, "
    "mulaw, alaw, g722, gsm, g729, opus"
)

REFUSED = {
    "encoding=mp3": ENCODINGS,
    "encoding=": ENCODINGS,
    "encoding=opus": "opus without a container cannot be in a file",
    "encoding=mulaw&sample_rate=7999": "sample_rate is a whole number of hertz, 8000 to 192000",
    "encoding=mulaw&sample_rate=fast": "sample_rate is a whole number of hertz, 8000 to 192000",
    "encoding=mulaw&sample_rate=": "sample_rate is a whole number of hertz, 8000 to 192000",
    "sample_rate=8000": "sample_rate is for files without a header: name encoding too",
    "encoding=mulaw&track=2": "there is no track 2: a file without a header has 1",
}


@pytest.fixture
async def server(start: Start, moonshine: Engine) -> AsyncIterator[Running]:
    """The server as it comes."""
    async with start(moonshine) as running:
        yield running


def raw(options: str, folder: Path) -> bytes:
    """The recording without a header, as ffmpeg writes it."""
    return made("-ac", "1", *options.split(), source=VOICE.path, suffix=".raw", folder=folder)


@pytest.mark.parametrize("query", FORMS)
async def test_a_file_without_a_header(server: Running, query: str, tmp_path: Path) -> None:
    """Its words are those of the recording, and it is as long."""
    answer = await send(server, raw(FORMS[query], tmp_path), f"?{query}")
    assert spoken(answer.text) == spoken(VOICE.text)
    assert answer.reply["duration"] == pytest.approx(len(VOICE.pcm) / 16_000, abs=0.05)


@pytest.mark.parametrize("query", REFUSED)
async def test_what_is_no_such_file(server: Running, query: str) -> None:
    """It is refused, with what would be right."""
    answer = await send(server, bytes(8000), f"?{query}")
    assert answer.error == ("bad_request", 1008)
    assert answer.reply["message"] == REFUSED[query]


async def test_another_file_than_declared(server: Running, tmp_path: Path) -> None:
    """No words are made up from it."""
    ogg = made("-c:a", "libopus", source=VOICE.path, suffix=".ogg", folder=tmp_path)
    for data in (ogg, raw("-ar 16000 -f f32le", tmp_path)):
        answer = await send(server, data, "?encoding=linear16")
        assert answer.error == ("wrong_format", 1003)


@pytest.mark.parametrize(("data", "code"), [(b"", "empty"), (bytes(32), "no_audio")])
async def test_a_file_without_a_sample(server: Running, data: bytes, code: str) -> None:
    """It is refused as others are."""
    answer = await send(server, data, "?encoding=gsm")
    assert answer.error == (code, 1003)
