"""A transcript as text, JSON, subtitles or a table. Nothing here reads or writes anything."""

import json
from collections.abc import Callable

from coqui_client.cues import Cue, cues
from coqui_client.transcript import Transcript

EXTENSIONS = {"text": "txt", "json": "json", "srt": "srt", "vtt": "vtt", "tsv": "tsv"}
"""The formats, each with the extension of its files."""


TIMED = frozenset({"srt", "vtt", "tsv"})
"""Those that are nothing without times."""


def render(transcript: Transcript, form: str) -> str:
    """The transcript in one of `EXTENSIONS`, ending with a line break.

    Raises:
        KeyError: `form` is not in `EXTENSIONS`.
    """
    return _RENDERERS[form](transcript)


def text(transcript: Transcript) -> str:
    """The transcript itself on one or more lines."""
    return f"{transcript.text.strip()}\n"


def pretty_json(transcript: Transcript) -> str:
    """The daemon's reply, indented."""
    return f"{json.dumps(transcript.reply, ensure_ascii=False, indent=2)}\n"


def json_line(transcript: Transcript, name: str) -> str:
    """The daemon's reply on one line, with the name of the file as `file` before it."""
    return f"{json.dumps({'file': name, **transcript.reply}, ensure_ascii=False)}\n"


def srt(transcript: Transcript) -> str:
    """SubRip: numbered cues, `HH:MM:SS,mmm` times.

    The format has no standard; this is what the SubRip program writes and players read. It has
    no escapes, so the text is written as it is.
    """
    blocks = [
        f"{number}\n{_times(cue, ',')}\n{cue.text}\n"
        for number, cue in enumerate(cues(transcript), start=1)
    ]
    return "\n".join(blocks)


def vtt(transcript: Transcript) -> str:
    """WebVTT (W3C, https://www.w3.org/TR/webvtt1/): `HH:MM:SS.mmm` times, `&`, `<`, `>` escaped.

    Section 4.1 also bars `-->` from a cue's text; with `>` escaped it cannot occur.
    """
    blocks = [f"{_times(cue, '.')}\n{_escaped(cue.text)}\n" for cue in cues(transcript)]
    return "\n".join(["WEBVTT\n", *blocks])


def tsv(transcript: Transcript) -> str:
    """A table with the header `start`, `end`, `text`; times are whole milliseconds.

    The rows are the cues of the subtitles. Tabs and line breaks in the text become spaces.
    """
    rows = [f"{cue.start}\t{cue.end}\t{cue.text}\n" for cue in cues(transcript)]
    return "".join(["start\tend\ttext\n", *rows])


_RENDERERS: dict[str, Callable[[Transcript], str]] = {
    "text": text,
    "json": pretty_json,
    "srt": srt,
    "vtt": vtt,
    "tsv": tsv,
}


def _times(cue: Cue, point: str) -> str:
    return f"{_clock(cue.start, point)} --> {_clock(cue.end, point)}"


def _clock(milliseconds: int, point: str) -> str:
    seconds, thousandths = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{thousandths:03}"


def _escaped(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
