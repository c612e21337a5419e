"""`/api/v1/stt`: the channels of a file, with one person on each, or the same sound."""

import base64
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from coqui_server.engines.base import Engine
from coqui_server.media.samples import SAMPLE_RATE, Samples
from tests.support.clips import clip, spoken
from tests.support.daemon import Answer, Running, Start, made, send
from tests.support.live import Obstacle, client
from tests.support.media import in_a_room, several_channels
from tests.support.media import spoken as sound

VOICE, OTHER = clip("appointment.wav"), clip("voicemail.wav")
SILENCE = np.zeros(SAMPLE_RATE, np.int16)
BOTH = several_channels(VOICE.pcm, OTHER.pcm // 3)


def said(answer: Answer) -> dict[int | None, str]:
    """The words of each channel."""
    words: dict[int | None, str] = {}
    for segment in answer.reply["segments"]:
        channel = segment.get("channel")
        words[channel] = f"{words.get(channel, '')} {spoken(segment['text'])}".strip()
    return words


def in_order(answer: Answer) -> bool:
    """Whether the segments are told in the order of speech."""
    starts = [segment["start"] for segment in answer.reply["segments"]]
    return all(one <= other for one, other in pairwise(starts))


async def test_two_people_at_once(server: Running) -> None:
    """All words of both are heard, in the order of speech, with their channels and names."""
    answer = await send(server, BOTH)
    assert said(answer) == {1: spoken(VOICE.text), 2: spoken(OTHER.text)}
    assert in_order(answer)
    assert answer.text == " ".join(segment["text"] for segment in answer.reply["segments"])
    names = {(segment["channel"], segment["speaker"]) for segment in answer.reply["segments"]}
    assert names == {(1, "left"), (2, "right")}
    assert "warnings" not in answer.reply


@pytest.mark.parametrize(
    "right", [VOICE.pcm, -VOICE.pcm, SILENCE], ids=["copy", "inverted", "silent"]
)
async def test_one_sound(server: Running, right: Samples) -> None:
    """A second channel with the same sound, inverted or not, or none, adds no words."""
    answer = await send(server, several_channels(VOICE.pcm, right))
    assert said(answer) == {None: spoken(VOICE.text)}
    assert not any("speaker" in segment for segment in answer.reply["segments"])


async def test_a_stereo_recording_of_a_room(server: Running, tmp_path: Path) -> None:
    """As an MP3 from a phone: words are there once, though both channels have an echo of them."""
    path = tmp_path / "room.wav"
    path.write_bytes(several_channels(*in_a_room(VOICE.pcm, echo=0.2)))
    data = made("-c:a", "libmp3lame", source=path, suffix=".mp3", folder=tmp_path)
    answer = await send(server, data)
    assert said(answer) == {None: spoken(VOICE.text)}


async def test_mixed_on_request(server: Running) -> None:
    """Two people become one text, with a warning."""
    answer = await send(server, BOTH, "?channels=mix")
    assert {None} == said(answer).keys()
    assert [warning["code"] for warning in answer.reply["warnings"]] == ["mixed_channels"]


async def test_split_on_request(server: Running) -> None:
    """The same sound on both channels is told twice."""
    data = several_channels(VOICE.pcm, VOICE.pcm)
    answer = await send(server, data, "?channels=split")
    assert said(answer) == {1: spoken(VOICE.text), 2: spoken(VOICE.text)}


async def test_split_by_the_configuration(start: Start, moonshine: Engine) -> None:
    """Without a wish in the request; a file with one channel has nothing to be split."""
    async with start(moonshine, "audio.channels = split") as server:
        answer = await send(server, several_channels(VOICE.pcm, SILENCE))
        assert said(answer) == {1: spoken(VOICE.text)}
        answer = await send(server, VOICE.path.read_bytes())
        assert said(answer) == {None: spoken(VOICE.text)}


async def test_eight_people(server: Running, tmp_path: Path) -> None:
    """Each has their words and number, also where two say the same at different times."""
    clips = [clip("appointment.wav"), clip("weather.flac"), clip("telephone.wav")]
    voices = [sound(each.path.name) for each in clips]
    late = [np.pad(voices[n % 3], (n * SAMPLE_RATE // 2, 0)) for n in range(8)]
    path = tmp_path / "eight.wav"
    path.write_bytes(several_channels(*late))
    data = made("-c:a", "flac", source=path, suffix=".flac", folder=tmp_path)
    answer = await send(server, data)
    assert said(answer) == {n + 1: spoken(clips[n % 3].text) for n in range(8)}
    assert in_order(answer)
    assert {s["speaker"] for s in answer.reply["segments"]} == {f"channel {n}" for n in range(1, 9)}


async def test_nine_channels(server: Running) -> None:
    """Are mixed with a warning; to split them is refused."""
    data = several_channels(*[VOICE.pcm] * 9)
    answer = await send(server, data)
    assert said(answer) == {None: spoken(VOICE.text)}
    assert [warning["code"] for warning in answer.reply["warnings"]] == ["mixed_channels"]
    refused = await send(server, data, "?channels=split")
    assert refused.error == ("bad_request", 1008)
    assert refused.reply["message"] == "the file has 9 channels; at most 8 can be split"


async def test_a_mode_that_is_none(server: Running) -> None:
    """Is refused, with what would be right."""
    answer = await send(server, BOTH, "?channels=stereo")
    assert answer.error == ("bad_request", 1008)
    assert answer.reply["message"] == 'found channels "stereo", allowed: auto, mix, split'


async def test_recordings_in_json(server: Running) -> None:
    """Have the words of both; the message may say that they are mixed, and nothing else."""
    audio = {"type": "audio", "audio": base64.b64encode(BOTH).decode()}
    async with client(server, "/ws") as user:
        await user.send(audio)
        text = spoken((await user.until(type="transcription"))["text"])
        assert sorted(text.split()) == sorted(spoken(f"{VOICE.text} {OTHER.text}").split())
        user.received.clear()
        await user.send({**audio, "channels": "mix"})
        assert "warnings" in await user.until(type="transcription")
        await user.send({**audio, "channels": 2})
        assert (await user.until(type="error"))["code"] == "bad_request"


@pytest.mark.process
async def test_a_leg_that_fails(start: Start) -> None:
    """Fails the session, and nothing is left running."""
    async with start(Obstacle(fails=True)) as server:
        answer = await send(server, BOTH)
        assert answer.error == ("engine_failed", 1011)
        await server.service.drained()
