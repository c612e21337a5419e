"""A reply as text, JSON, subtitles or a table. Nothing here reads or writes anything."""

import json
from collections.abc import Callable

from coqui_client.reply import Reply
from coqui_transcript import subtitles

EXTENSIONS = {"text": "txt", "json": "json", "srt": "srt", "vtt": "vtt", "tsv": "tsv"}
"""The formats, each with the extension of its files."""


def render(reply: Reply, form: str) -> str:
    """The transcript in one of `EXTENSIONS`, ending with a line break.

    Raises:
        KeyError: `form` is not in `EXTENSIONS`.
    """
    return _RENDERERS[form](reply)


def text(reply: Reply) -> str:
    """The transcript's text; if its speakers are known, a line for each segment, after its name."""
    segments = reply.transcript.segments
    if any(segment.speaker for segment in segments):
        return "".join(f"{segment.line}\n" for segment in segments)
    return f"{reply.transcript.text.strip()}\n"


def pretty_json(reply: Reply) -> str:
    """The daemon's reply, indented."""
    return f"{json.dumps(reply.fields, ensure_ascii=False, indent=2)}\n"


def json_line(reply: Reply, name: str) -> str:
    """The daemon's reply on one line, with the name of the file as `file` before it."""
    return f"{json.dumps({'file': name, **reply.fields}, ensure_ascii=False)}\n"


_RENDERERS: dict[str, Callable[[Reply], str]] = {
    "text": text,
    "json": pretty_json,
    "srt": lambda reply: subtitles.srt(reply.transcript),
    "vtt": lambda reply: subtitles.vtt(reply.transcript),
    "tsv": lambda reply: subtitles.tsv(reply.transcript),
}
