"""`/api/v1/stt`: a file in, its transcript out."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from coqui_server.engines.base import Engine
from tests.support.clips import clip, spoken
from tests.support.daemon import Running, Start, answer_to, made, send
from tests.support.media import wav

VOICE = clip("appointment.wav")

FORMATS = {
    "wav 8-bit": (".wav", "-c:a pcm_u8"),
    "wav 16-bit": (".wav", "-c:a pcm_s16le"),
    "wav 24-bit": (".wav", "-c:a pcm_s24le"),
    "wav float": (".wav", "-c:a pcm_f32le"),
    "wav mu-law, 8 kHz": (".wav", "-c:a pcm_mulaw -ar 8000"),
    "wav 44.1 kHz stereo": (".wav", "-ar 44100 -ac 2"),
    "wav 5.1": (".wav", "-ac 6"),
    "mp3": (".mp3", "-b:a 64k"),
    "flac": (".flac", ""),
    "ogg opus": (".ogg", "-c:a libopus -b:a 32k"),
    "webm opus, as a browser records": (
        ".webm",
        "-c:a libopus -b:a 48k -f webm -live 1 -cluster_time_limit 100",
    ),
    "m4a, index at the end": (".m4a", "-c:a aac -b:a 64k"),
    "m4a, index first": (".m4a", "-c:a aac -b:a 64k -movflags +faststart"),
}


@pytest.fixture
async def server(start: Start, moonshine: Engine) -> AsyncIterator[Running]:
    """The server as it comes."""
    async with start(moonshine) as running:
        yield running


@pytest.mark.parametrize("name", FORMATS)
async def test_format(server: Running, tmp_path: Path, name: str) -> None:
    """The same words come back whatever the file's format."""
    suffix, arguments = FORMATS[name]
    data = made(*arguments.split(), source=VOICE.path, suffix=suffix, folder=tmp_path)
    answer = await send(server, data)
    assert spoken(answer.text) == spoken(VOICE.text)
    assert answer.code == 1000
    assert abs(answer.reply["duration"] - len(VOICE.pcm) / 16_000) < 0.1


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov"])
async def test_video_with_sound(server: Running, tmp_path: Path, suffix: str) -> None:
    """A video's audio track is transcribed."""
    picture = "-f lavfi -i color=c=blue:s=64x64:d=1 -map 0:a -map 1:v -c:a aac -c:v mpeg4"
    data = made(*picture.split(), source=VOICE.path, suffix=suffix, folder=tmp_path)
    assert spoken((await send(server, data)).text) == spoken(VOICE.text)


@pytest.mark.parametrize("length", [0, 1000, 0x7FFFFFFF, 0xFFFFFFFF])
async def test_wav_with_a_wrong_length(server: Running, length: int) -> None:
    """A WAV whose header was written before its length was known is heard to its end."""
    data = bytearray(VOICE.path.read_bytes())
    place = data.index(b"data") + 4
    data[place : place + 4] = length.to_bytes(4, "little")
    assert spoken((await send(server, bytes(data))).text) == spoken(VOICE.text)


async def test_reply_has_all_fields(server: Running) -> None:
    """Text, times, engine, session and segments, with the older server's `text` and `time`."""
    two = clip("voicemail.wav")
    reply = (await send(server, two.path.read_bytes())).reply
    assert set(reply) == {"text", "time", "duration", "engine", "session", "segments"}
    assert reply["engine"] == "moonshine"
    assert 0 < reply["time"] < 60
    assert reply["duration"] == round(len(two.pcm) / 16_000, 3)
    assert len(reply["segments"]) == 2
    assert " ".join(segment["text"] for segment in reply["segments"]) == reply["text"]
    first, second = reply["segments"]
    assert 0 <= first["start"] < first["end"] <= second["start"] < second["end"]
    assert second["end"] <= reply["duration"]
    assert second["start"] - first["end"] > 0.5
    assert 0.5 < first["confidence"] <= 1


async def test_fragments_make_one_message(server: Running) -> None:
    """A file sent in fragments of any size gives the same reply as one sent whole."""
    data = VOICE.path.read_bytes()
    async with server.connect() as socket:
        await socket.send([data[n : n + 999] for n in range(0, len(data), 999)])
        answer = await answer_to(socket)
    whole = await send(server, data)
    ignored = {"time": 0, "session": ""}
    assert {**answer.reply, **ignored} == {**whole.reply, **ignored}


async def test_fragmented_m4a_with_its_index_at_the_end(server: Running, tmp_path: Path) -> None:
    """What cannot be read from a pipe goes through a temporary file that is gone afterwards."""
    data = made("-c:a", "aac", source=VOICE.path, suffix=".m4a", folder=tmp_path)
    assert data.index(b"moov") > data.index(b"mdat")
    async with server.connect() as socket:
        await socket.send([data[:3], *(data[n : n + 4096] for n in range(3, len(data), 4096))])
        answer = await answer_to(socket)
    assert spoken(answer.text) == spoken(VOICE.text)
    assert not list((tmp_path / "temporary").iterdir())


async def test_korean_words(start: Start, vosk: Engine) -> None:
    """With Vosk the daemon says what the same recognizer says, with times and confidences."""
    korean = clip("korean.wav")
    async with start(vosk) as server:
        reply = (await send(server, korean.path.read_bytes())).reply
    words = [word for segment in reply["segments"] for word in segment["words"]]
    assert " ".join(word["word"] for word in words) == reply["text"]
    assert reply["text"]
    times = [time for word in words for time in (word["start"], word["end"])]
    assert times == sorted(times)
    assert times[-1] <= reply["duration"]
    assert all(0 <= word["confidence"] <= 1 for word in words)


async def test_ten_minutes_of_silence(server: Running, tmp_path: Path) -> None:
    """Silence is an empty text, not an error."""
    silence = "-af volume=0,apad=whole_dur=600"
    data = made(*silence.split(), source=VOICE.path, suffix=".flac", folder=tmp_path)
    answer = await send(server, data)
    assert (answer.text, answer.code, answer.reply["segments"]) == ("", 1000, [])
    assert answer.reply["duration"] == 600


async def test_a_fiftieth_of_a_second(server: Running) -> None:
    """A file too short for a word is an empty text."""
    header = VOICE.path.read_bytes()[:44]
    answer = await send(server, header + VOICE.pcm[:320].tobytes())
    assert (answer.text, answer.code, answer.reply["duration"]) == ("", 1000, 0.02)


async def test_fifty_clients_at_once(server: Running) -> None:
    """Fifty clients with three different files each get their own file's words."""
    message = clip("voicemail.wav").pcm
    files = [wav(part) for part in (VOICE.pcm[:24_000], message[:24_000], message[-24_000:])]
    alone = [(await send(server, file)).text for file in files]
    assert len({*alone, ""}) == 4
    answers = await asyncio.gather(*(send(server, files[n % 3]) for n in range(50)))
    for n, answer in enumerate(answers):
        assert answer.text == alone[n % 3]
    assert len({answer.reply["session"] for answer in answers}) == 50


async def test_more_than_max_sessions_are_refused(start: Start, moonshine: Engine) -> None:
    """Beyond the limit a client is told so at once and closed with 1013; the others are served."""
    async with start(moonshine, "server.max_sessions = 2") as server:
        async with server.connect() as first, server.connect() as second:
            while sum(server.service.health()["sessions"].values()) < 2:
                await asyncio.sleep(0)
            refused = await send(server, VOICE.path.read_bytes())
            assert refused.error == ("busy", 1013)
            for socket in (first, second):
                await socket.send(VOICE.path.read_bytes())
                assert spoken((await answer_to(socket)).text) == spoken(VOICE.text)
        assert spoken((await send(server, VOICE.path.read_bytes())).text) == spoken(VOICE.text)
