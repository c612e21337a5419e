"""`coqui_server.media.transcode` with real ffmpegs on real files."""

import io
from collections.abc import AsyncGenerator
from pathlib import Path

import numpy as np
import pytest

from coqui_server.config.audio import FfmpegSettings
from coqui_server.exceptions import ConfigError, NotAudio, TranscodeError
from coqui_server.media.ffmpeg import find_ffmpeg
from coqui_server.media.mixdown import Mixdown
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.media.transcode import Transcoder
from tests.support.media import SECONDS, Media, wav
from tools.sounds import frame_levels

pytestmark = pytest.mark.process

READABLE = [
    "wav 8-bit",
    "wav 16-bit",
    "wav 24-bit",
    "wav float",
    "wav mu-law",
    "wav stereo",
    "wav 5.1",
    "mp3",
    "mp3 with title",
    "flac",
    "ogg opus",
    "ogg vorbis",
    "webm",
    "m4a",
    "m4a faststart",
    "mp4",
    "mov",
    "3gp",
    "mkv",
    "avi",
    "aac",
    "amr",
]
TEXT = b"Dear Sir or Madam,\r\nthis is a letter and not a sound.\r\n" * 200


async def arriving(data: bytes, size: int = 1000) -> AsyncGenerator[bytes, None]:
    """Bytes as a socket gives them: a few at a time."""
    with io.BytesIO(data) as file:
        while chunk := file.read(size):
            yield chunk


async def transcoded(ffmpeg: FfmpegSettings, data: bytes, size: int = 1000) -> Samples:
    """All the sound of a file, in one channel."""
    sound = Transcoder(ffmpeg.path, ffmpeg.timeout).transcode(arriving(data, size))
    blocks = [frames async for frames in sound]
    return Mixdown().push(np.concatenate([*blocks]))


def likeness(one: Samples, other: Samples) -> float:
    """Correlation of two sounds' levels over time, the first being up to 60 ms late."""

    def shifted(by: int) -> float:
        both = min(len(one) - by, len(other))
        levels = frame_levels(one[by : by + both]), frame_levels(other[:both])
        return float(np.corrcoef(*levels)[0, 1])

    return max(shifted(by) for by in range(0, 961, 160))


@pytest.mark.parametrize("name", READABLE)
async def test_every_kind_of_file_is_heard(ffmpeg: FfmpegSettings, media: Media, name: str) -> None:
    """The sound has the right length, loudness over time and level, whatever carried it."""
    pcm = await transcoded(ffmpeg, media.file(name))
    assert pcm.dtype == np.int16
    assert len(pcm) / SAMPLE_RATE == pytest.approx(SECONDS, abs=0.1)
    assert likeness(pcm, media.pcm) > 0.9


@pytest.mark.parametrize("size", [1, 4095, 10**6])
async def test_a_wav_of_this_rate_comes_out_as_it_went_in(
    ffmpeg: FfmpegSettings, media: Media, size: int
) -> None:
    """16 kHz mono 16-bit is passed bit by bit, however the bytes arrive."""
    pcm = media.pcm[:8000]
    assert np.array_equal(await transcoded(ffmpeg, wav(pcm), size), pcm)


@pytest.mark.parametrize("length", [0, 2000, 10**9, 0xFFFFFFFF])
async def test_a_wav_with_a_wrong_length_is_heard_whole(
    ffmpeg: FfmpegSettings, media: Media, length: int
) -> None:
    """What gateways and phones write instead of the length costs no sound."""
    file = wav(media.pcm)
    file = file[:40] + length.to_bytes(4, "little") + file[44:]
    assert np.array_equal(await transcoded(ffmpeg, file), media.pcm)


async def test_titles_after_the_sound_are_not_heard(ffmpeg: FfmpegSettings, media: Media) -> None:
    """A list of titles at the end of a WAV is not played as a click."""
    file = wav(media.pcm) + b"LIST\x64\x00\x00\x00INFOINAM" + b"\x7f\x3a" * 46
    assert np.array_equal(await transcoded(ffmpeg, file), media.pcm)


async def test_an_mp3_cut_short_gives_the_sound_that_is_there(
    ffmpeg: FfmpegSettings, media: Media
) -> None:
    """Half the bytes of a constant-rate MP3 are half the sound."""
    file = media.file("mp3")
    pcm = await transcoded(ffmpeg, file[: len(file) // 2])
    assert len(pcm) / SAMPLE_RATE == pytest.approx(SECONDS / 2, abs=0.1)
    assert likeness(pcm, media.pcm) > 0.9


@pytest.mark.parametrize("name", ["mp3", "aac"])
async def test_a_stream_that_starts_in_the_middle_is_heard(
    ffmpeg: FfmpegSettings, media: Media, name: str
) -> None:
    """A recording of a stream begins anywhere in a frame; the rest is sound all the same."""
    file = media.file(name)
    pcm = await transcoded(ffmpeg, file[len(file) // 5 :])
    assert 2.2 < len(pcm) / SAMPLE_RATE < 2.6
    # The decoder ends a frame or two early or late, which shifts the envelopes.
    assert likeness(pcm[::-1], media.pcm[::-1]) > 0.7


async def test_an_empty_message_is_said_to_be_empty(ffmpeg: FfmpegSettings) -> None:
    """Nothing at all, and nothing but empty chunks, have a code of their own."""
    with pytest.raises(NotAudio) as caught:
        await transcoded(ffmpeg, b"")
    assert caught.value.code == "empty"


@pytest.mark.parametrize("name", ["silent mp4", "silent mkv"])
async def test_a_film_without_sound_is_said_to_be_one(
    ffmpeg: FfmpegSettings, media: Media, name: str
) -> None:
    """A video without an audio track is not called broken."""
    with pytest.raises(NotAudio) as caught:
        await transcoded(ffmpeg, media.file(name))
    assert caught.value.code == "no_audio"


@pytest.mark.parametrize("name", ["png", "jpeg"])
async def test_a_picture_is_no_audio(ffmpeg: FfmpegSettings, media: Media, name: str) -> None:
    """ffmpeg reads pictures too; they are refused."""
    with pytest.raises(NotAudio):
        await transcoded(ffmpeg, media.file(name))


@pytest.mark.parametrize("seed", range(4))
async def test_random_bytes_are_no_audio(ffmpeg: FfmpegSettings, seed: int) -> None:
    """What is not a media file is refused, and nothing of it is played."""
    data = np.random.default_rng(seed).bytes(20_000 * (seed + 1))
    with pytest.raises(NotAudio):
        await transcoded(ffmpeg, data)


@pytest.mark.parametrize("data", [TEXT, b"{}", b"\0", bytes(50_000), b"Talkfree for all"])
async def test_text_and_zeros_are_no_audio(ffmpeg: FfmpegSettings, data: bytes) -> None:
    """Text, JSON, zeros and words that read like an MP4 box are refused."""
    with pytest.raises(NotAudio):
        await transcoded(ffmpeg, data)


@pytest.mark.parametrize("part", [0.3, 0.9])
async def test_an_m4a_without_its_index_is_no_audio(
    ffmpeg: FfmpegSettings, media: Media, part: float
) -> None:
    """Cut short before the index at its end, an M4A cannot be read."""
    file = media.file("m4a")
    with pytest.raises(NotAudio) as caught:
        await transcoded(ffmpeg, file[: round(len(file) * part)])
    assert caught.value.code == "not_audio"


def test_the_configured_ffmpeg_must_exist(tmp_path: Path) -> None:
    """A path to nothing is a configuration error that names the key and the path."""
    missing = tmp_path / "ffmpeg"
    with pytest.raises(ConfigError) as caught:
        Transcoder(missing)
    assert caught.value.key == "ffmpeg.path"
    assert str(missing) in str(caught.value)


def test_without_a_path_some_ffmpeg_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's is taken, and without one the one in the package."""
    assert Path(find_ffmpeg()).is_file()
    monkeypatch.setenv("PATH", "")
    assert "imageio_ffmpeg" in find_ffmpeg()


async def test_a_program_that_cannot_run_is_our_fault(tmp_path: Path) -> None:
    """A file that is not a program is told as ours, not as the caller's."""
    program = tmp_path / "ffmpeg"
    program.write_text("not a program", encoding="utf-8")
    with pytest.raises(TranscodeError, match="could not be started"):
        await transcoded(FfmpegSettings(path=program), b"RIFF")
