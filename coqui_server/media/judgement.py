"""What becomes of a file: refused, or read with warnings. No I/O."""

from collections.abc import Iterator

from coqui_server.exceptions import NotAudio
from coqui_server.media.ffmpeg_log import FfmpegLog
from coqui_server.media.samples import SAMPLE_RATE
from coqui_transcript.transcript import TranscriptWarning

_LEAST_SCORE = 25
"""ffmpeg's score for an MP3 that begins in mid-frame. A lower score is only a guess."""

_SHORT, _SHORT_SHARE = 0.5, 0.01
"""Seconds, and share, by which a file may be shorter than its head says."""


def refusal(log: FfmpegLog) -> NotAudio | None:
    """Why a file is refused whose description ffmpeg has read."""
    if log.no_tracks:
        return NotAudio("the file holds no audio track", "no_audio")
    if log.score is not None and log.score < _LEAST_SCORE:
        return NotAudio("not an audio or video file that ffmpeg can read")
    return None


def without_sound(log: FfmpegLog, code: int) -> NotAudio:
    """Why a file is refused of which ffmpeg has decoded nothing, ending with this exit code."""
    if not code:
        return NotAudio("the file has an audio track without any sound", "no_audio")
    if log.tracks:
        return NotAudio("ffmpeg cannot decode the sound of this file")
    return NotAudio("not an audio or video file that ffmpeg can read")


def warnings(log: FfmpegLog, samples: int, *, cut_off: bool) -> Iterator[TranscriptWarning]:
    """Why a file that was read may have had more to hear.

    Args:
        samples: of each channel that were decoded.
        cut_off: by its own bytes, the end of the file is missing.
    """
    seconds = samples / SAMPLE_RATE
    # A film, or another track, may go on when this one has ended.
    alone = len(log.tracks) == 1 and not log.pictures
    stated = log.duration or 0.0 if alone else 0.0
    if stated - seconds > max(_SHORT, _SHORT_SHARE * stated):
        text = f"the file ends early: it says {stated:.1f} s, and has {seconds:.1f} s"
        yield TranscriptWarning("truncated", text)
    elif log.ended_early or cut_off:
        yield TranscriptWarning("truncated", "the file ends early: its end is missing")
    elif log.damaged:
        yield TranscriptWarning("damaged", "parts of the file could not be decoded")
