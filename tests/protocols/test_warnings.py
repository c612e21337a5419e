"""`/api/v1/stt`: files with a fault, or with several tracks, are transcribed with warnings."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from coqui_server.engines.base import Engine
from tests.support.clips import clip, spoken
from tests.support.daemon import Running, Start, made, send

VOICE = clip("appointment.wav")
OTHER = clip("voicemail.wav")
TRACKS = ["-map", "0:a", "-map", "1:a", "-c:a", "aac", "-disposition:a:0", "default"]


@pytest.fixture
async def server(start: Start, moonshine: Engine) -> AsyncIterator[Running]:
    """The server as it comes."""
    async with start(moonshine) as running:
        yield running


def codes(reply: dict[str, list[dict[str, str]]]) -> list[str]:
    """The codes of a reply's warnings."""
    return [warning["code"] for warning in reply.get("warnings", [])]


async def test_half_a_file(server: Running) -> None:
    """Its words are there, and so is the warning."""
    answer = await send(server, VOICE.path.read_bytes()[: VOICE.path.stat().st_size // 2])
    assert spoken(answer.text)[:3] == spoken(VOICE.text)[:3]
    assert codes(answer.reply) == ["truncated"]


async def test_a_silent_first_track(server: Running, tmp_path: Path) -> None:
    """The track with speech is transcribed, though players choose the silent one."""
    second = ["-f", "lavfi", "-t", "4", "-i", "anullsrc", "-map", "1:a", "-map", "0:a"]
    options = [*second, "-c:a", "aac", "-disposition:a:0", "default", "-disposition:a:1", "0"]
    data = made(*options, source=VOICE.path, suffix=".mkv", folder=tmp_path)
    answer = await send(server, data)
    assert spoken(answer.text) == spoken(VOICE.text)
    assert codes(answer.reply) == []


async def test_two_tracks_with_speech(server: Running, tmp_path: Path) -> None:
    """The first is transcribed, with a warning; the address can name the other."""
    options = ["-i", str(OTHER.path), *TRACKS]
    data = made(*options, source=VOICE.path, suffix=".mkv", folder=tmp_path)
    answer = await send(server, data)
    assert spoken(answer.text) == spoken(VOICE.text)
    assert codes(answer.reply) == ["several_tracks"]
    named = await send(server, data, "?track=2")
    assert spoken(named.text) == spoken(OTHER.text)
    assert codes(named.reply) == []


@pytest.mark.parametrize("track", ["3", "0", "x", "-1", "100"])
async def test_a_track_that_is_not_there(server: Running, tmp_path: Path, track: str) -> None:
    """Is refused, with what would be right."""
    options = ["-i", str(OTHER.path), *TRACKS]
    data = made(*options, source=VOICE.path, suffix=".mkv", folder=tmp_path)
    answer = await send(server, data, f"?track={track}")
    assert answer.reply["code"] == "bad_request"
    assert answer.code == 1008
