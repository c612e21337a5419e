"""What is read from ffmpeg's messages."""

import pytest

from coqui_server.media.ffmpeg_log import FfmpegLog, Track

FILM = """\
[info] Input #0, matroska,webm, from 'pipe:0':
[info]   Metadata:
[info]     title           : Stream #0:7: Audio: none
[info]                     : Output #0
[info]   Duration: 01:02:03.50, start: -0.064000, bitrate: N/A
[info]   Stream #0:0: Video: h264 (High), yuv420p, 10 fps (default)
[info]   Stream #0:1[0x101](eng): Audio: aac (LC), 48000 Hz, stereo, fltp
[info]   Stream #0:2(und): Audio: opus, 48000 Hz, mono, fltp (default)
[info] Stream mapping:
[info]   Stream #0:1 -> #0:0 (aac (native) -> pcm_s16be (native))
[info] Output #0, au, to 'pipe:1':
[info]   Stream #0:0(eng): Audio: pcm_s16be, 16000 Hz, mono, s16, 256 kb/s
"""


def read(text: str, size: int = 7) -> FfmpegLog:
    """The facts of a text that comes in small pieces."""
    log = FfmpegLog()
    for start in range(0, len(text), size):
        log.feed(text[start : start + size])
    return log


def test_a_film() -> None:
    """Its tracks and its length; a title cannot add any."""
    log = read(FILM)
    assert log.opened
    assert log.tracks == [Track(1, "eng"), Track(2, default=True)]
    assert (log.duration, log.pictures) == (3723.5, True)


def test_a_cover_is_no_film() -> None:
    """A picture inside an MP3 does not go on after the sound."""
    log = read("[info]   Stream #0:1: Video: mjpeg, yuvj420p, 90k tbr (attached pic)\n")
    assert not log.pictures


@pytest.mark.parametrize(
    "line",
    [
        "[mov,mp4 @ 0x55] [error] stream 0, offset 0x547e: partial file",
        "[matroska,webm @ 0x55] [error] File ended prematurely",
        "[in#0/matroska,webm @ 0x55] [error] File ended prematurely at pos. 9 (0x9)",
    ],
)
def test_an_early_end(line: str) -> None:
    """ffmpeg's words for it, in its old and its new form."""
    assert read(f"{line}\n").ended_early


def test_a_fault_or_two_are_the_edges_of_a_recording() -> None:
    """Three are damage."""
    line = "[error] Error while decoding stream #0:0: Invalid data found\n"
    assert not read(2 * line).damaged
    assert read(3 * line).damaged


def test_a_line_of_any_length() -> None:
    """Is not kept."""
    log = FfmpegLog()
    for _ in range(100):
        log.feed("x" * 10_000)
    assert len(log._rest) <= 1000
