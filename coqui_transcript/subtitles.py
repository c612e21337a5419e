"""A transcript as subtitles: SubRip, WebVTT, or a table of cues. No I/O."""

from coqui_transcript.cues import Cue, cues
from coqui_transcript.transcript import Transcript


def srt(transcript: Transcript) -> str:
    """SubRip: numbered cues, `HH:MM:SS,mmm` times.

    The format has no standard; this is what the SubRip program writes and players read. It has
    no escapes, so the text is written as it is.
    """
    blocks = [
        f"{number}\n{_times(cue, ',')}\n{_shown(cue)}\n"
        for number, cue in enumerate(cues(transcript), start=1)
    ]
    return "\n".join(blocks)


def vtt(transcript: Transcript) -> str:
    """WebVTT (W3C, https://www.w3.org/TR/webvtt1/): `HH:MM:SS.mmm` times, `&`, `<`, `>` escaped.

    Section 4.1 also bars `-->` from a cue's text; with `>` escaped it cannot occur.
    """
    blocks = [f"{_times(cue, '.')}\n{_escaped(_shown(cue))}\n" for cue in cues(transcript)]
    return "\n".join(["WEBVTT\n", *blocks])


def tsv(transcript: Transcript) -> str:
    """A table with the header `start`, `end`, `text`; times are whole milliseconds.

    The rows are the cues of the subtitles. Tabs and line breaks in the text become spaces.
    """
    rows = [f"{cue.start}\t{cue.end}\t{cue.text}\n" for cue in cues(transcript)]
    return "".join(["start\tend\ttext\n", *rows])


def _shown(cue: Cue) -> str:
    return "\n".join(cue.lines)


def _times(cue: Cue, point: str) -> str:
    return f"{_clock(cue.start, point)} --> {_clock(cue.end, point)}"


def _clock(milliseconds: int, point: str) -> str:
    seconds, thousandths = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{thousandths:03}"


def _escaped(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
