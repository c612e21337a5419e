"""Files with a fault that can be read all the same: what is heard, when, and what is said of it."""

import subprocess
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from coqui_server.config.audio import FfmpegSettings
from coqui_server.exceptions import NotAudio
from coqui_server.media.ffmpeg_log import Track
from coqui_server.media.mixdown import Mixdown
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.media.transcode import Listen, Transcoder, first_choice
from coqui_transcript.transcript import TranscriptWarning
from tests.support.media import Media, wav
from tools.sounds import at, white

pytestmark = pytest.mark.process

NOISE = at(-20, white(6.0, seed=3))
OPUS = ("-c:a", "libopus")


async def arriving(data: bytes) -> AsyncGenerator[bytes, None]:
    """Bytes as a socket gives them."""
    for start in range(0, len(data), 50_000):
        yield data[start : start + 50_000]


async def read(
    ffmpeg: FfmpegSettings, data: bytes, *, track: int | None = None
) -> tuple[Samples, list[str]]:
    """The sound of a file, and the codes of its warnings."""
    warnings: list[TranscriptWarning] = []

    async def choose(tracks: Sequence[Track], listen: Listen) -> Track:
        return await first_choice(tracks, listen) if track is None else tracks[track - 1]

    sound = Transcoder(ffmpeg.path, ffmpeg.timeout).transcode(
        arriving(data), choose=choose, warn=warnings.append
    )
    blocks = [frames async for frames in sound]
    return Mixdown().push(np.concatenate(blocks)), [warning.code for warning in warnings]


def encoded(folder: Path, suffix: str, *options: str, inputs: Sequence[str] = ()) -> bytes:
    """The noise in a file, after other inputs of ffmpeg."""
    source, target = folder / "noise.wav", folder / f"made{suffix}"
    source.write_bytes(wav(NOISE))
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *inputs, "-i", str(source)]
    subprocess.run([*command, *options, str(target)], check=True)
    return target.read_bytes()


def begins(pcm: Samples) -> float:
    """Seconds until the sound."""
    return float(np.argmax(np.abs(pcm) > 500)) / SAMPLE_RATE


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        (".caf", ("-c:a", "alac")),
        (".caf", ("-c:a", "pcm_s16le")),
        (".rso", ("-c:a", "pcm_u8", "-ar", "8000")),
        (".wtv", ("-c:a", "mp2")),
        (".flac", ()),
    ],
)
async def test_a_file_that_needs_seeking(
    ffmpeg: FfmpegSettings, tmp_path: Path, suffix: str, options: Sequence[str]
) -> None:
    """It is read from a temporary file, whatever its kind."""
    data = encoded(tmp_path, suffix, *options)
    if suffix == ".flac":
        # A tag of 6 MB, as one with pictures: the size has seven bits in each byte.
        size = 6_000_000
        tag = bytes(size >> 7 * place & 0x7F for place in (3, 2, 1, 0))
        data = b"ID3\x04\0\0" + tag + bytes(size) + data
    pcm, warnings = await read(ffmpeg, data)
    assert len(pcm) / SAMPLE_RATE == pytest.approx(6.0, abs=0.15)
    assert warnings == []


@pytest.mark.parametrize(
    ("suffix", "video", "audio"),
    [
        (".mp4", "libx264", "aac"),
        (".mkv", "libx264", "libopus"),
        (".webm", "libvpx", "libopus"),
        (".ts", "mpeg2video", "aac"),
        (".mpg", "mpeg2video", "mp2"),
    ],
)
async def test_a_track_that_starts_late(
    ffmpeg: FfmpegSettings, tmp_path: Path, suffix: str, video: str, audio: str
) -> None:
    """Silence stands for the time in which only the picture ran."""
    picture = ("-f", "lavfi", "-i", "color=s=64x48:r=10:d=10", "-itsoffset", "3")
    tracks = ("-map", "0:v", "-map", "1:a", "-c:v", video, "-c:a", audio)
    pcm, warnings = await read(ffmpeg, encoded(tmp_path, suffix, *tracks, inputs=picture))
    assert begins(pcm) == pytest.approx(3.0, abs=0.15)
    assert len(pcm) / SAMPLE_RATE == pytest.approx(9.0, abs=0.15)
    assert warnings == []


async def test_a_gap_in_the_timestamps(ffmpeg: FfmpegSettings, tmp_path: Path) -> None:
    """A stream that broke off for five seconds has five seconds of silence in it."""
    gap = ("-af", "asetpts='if(gte(T,2),PTS+5/TB,PTS)'", *OPUS)
    pcm, _ = await read(ffmpeg, encoded(tmp_path, ".mkv", *gap))
    middles = (1.0, 4.5, 9.0)
    levels = [np.abs(pcm[round((at - 0.5) * SAMPLE_RATE) :][:SAMPLE_RATE]).mean() for at in middles]
    assert [level > 100 for level in levels] == [True, False, True]
    assert len(pcm) / SAMPLE_RATE == pytest.approx(11.0, abs=0.15)


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        (".m4a", ("-c:a", "aac", "-movflags", "+faststart")),
        (".flac", ()),
        (".mkv", OPUS),
        (".wav", ()),
        (".aiff", ()),
        (".ogg", OPUS),
        (".mp3", ()),
        (".asf", ("-c:a", "wmav2")),
    ],
)
async def test_a_file_that_is_cut_off(
    ffmpeg: FfmpegSettings, tmp_path: Path, suffix: str, options: Sequence[str]
) -> None:
    """The sound that is there is kept, and the warning says that there was more."""
    data = encoded(tmp_path, suffix, *options)
    whole, none = await read(ffmpeg, data)
    part, warnings = await read(ffmpeg, data[: len(data) // 2])
    assert 0.3 * len(whole) < len(part) < 0.7 * len(whole)
    assert (none, warnings) == ([], ["truncated"])


async def test_a_file_that_is_damaged_inside(ffmpeg: FfmpegSettings, tmp_path: Path) -> None:
    """Bytes that were overwritten cost some sound, and are warned of."""
    data = bytearray(encoded(tmp_path, ".ts", "-c:a", "aac"))
    for place in range(20_000, len(data) - 20_000, 8_000):
        data[place : place + 500] = bytes(500)
    pcm, warnings = await read(ffmpeg, bytes(data))
    assert len(pcm) > 0
    assert warnings == ["damaged"]


async def test_a_wav_without_samples_has_no_audio(ffmpeg: FfmpegSettings) -> None:
    """A header alone is no transcript without words."""
    with pytest.raises(NotAudio) as caught:
        await read(ffmpeg, wav(np.empty(0, np.int16)))
    assert caught.value.code == "no_audio"


async def test_a_film_with_surround_sound(ffmpeg: FfmpegSettings, tmp_path: Path) -> None:
    """Its channels are mixed, unless they are wanted."""
    picture = ("-f", "lavfi", "-t", "6", "-i", "testsrc=size=64x48:rate=10")
    surround = ("-map", "0:v", "-map", "1:a", "-c:v", "mpeg4", "-c:a", "pcm_s16le", "-ac", "6")
    data = encoded(tmp_path, ".mkv", *surround, inputs=picture)
    for wanted, channels in ((False, 1), (True, 6)):
        reading = Transcoder(ffmpeg.path, ffmpeg.timeout).transcode(arriving(data), surround=wanted)
        shapes = {frames.shape[1] async for frames in reading}
        assert shapes == {channels}


async def test_inverted_channels(ffmpeg: FfmpegSettings, tmp_path: Path) -> None:
    """The second channel is the first one turned over: the sound is that of either."""
    turned = ("-af", "pan=stereo|c0=c0|c1=-1*c0")
    pcm, warnings = await read(ffmpeg, encoded(tmp_path, ".wav", *turned))
    assert np.abs(pcm - NOISE).max() <= 1
    assert warnings == []


@pytest.mark.parametrize("suffix", [".mkv", ".mov"])
async def test_several_tracks(ffmpeg: FfmpegSettings, tmp_path: Path, suffix: str) -> None:
    """Each can be chosen, whether the file is piped or needs seeking."""
    silence = ("-f", "lavfi", "-t", "6", "-i", "anullsrc=r=48000:cl=stereo")
    tracks = ("-map", "0:a", "-map", "1:a", "-c:a", "aac", "-disposition:a:0", "0")
    data = encoded(tmp_path, suffix, *tracks, "-disposition:a:1", "default", inputs=silence)
    by_default, _ = await read(ffmpeg, data)
    first, _ = await read(ffmpeg, data, track=1)
    assert np.abs(by_default).mean() > 100
    assert np.abs(first).max() < 10


async def test_a_playlist_is_not_read_by_name(ffmpeg: FfmpegSettings, media: Media) -> None:
    """What the pipe refuses is tried from a file, where a playlist could name other files."""
    secret = Path(__file__).resolve()
    script = f"ffconcat version 1.0\nfile {secret}\n".encode()
    with pytest.raises(NotAudio):
        await read(ffmpeg, script)
