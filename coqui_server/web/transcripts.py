"""A stored session as people read it: on a page and in exports."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from coqui_server.config.audio import Kind
from coqui_server.exports import Document
from coqui_server.store.tables import SegmentRow, SessionRow
from coqui_transcript.mapping import warnings_from_json, word_from_json
from coqui_transcript.transcript import Segment

KINDS: Mapping[Kind, str] = {"file": "File", "live": "Live", "rtp": "Call"}
"""The name of each kind of session for people."""


def titled(session: SessionRow) -> str:
    """The title of a session: its label, or its date."""
    return session.label or f"{KINDS[session.kind]} {session.start:%Y-%m-%d %H.%M}"


def document(session: SessionRow) -> Document:
    """A session as a document; segments with an empty text are left out."""
    segments = tuple(_segment(row) for row in session.segments if row.text)
    return Document(
        titled(session),
        session.start,
        session.engine,
        session.duration,
        segments,
        warnings_from_json(session.warnings),
    )


@dataclass(frozen=True)
class Span:
    """A piece of a segment's text; a word has its times in seconds."""

    text: str
    start: float | None = None
    end: float | None = None


def spans(segment: SegmentRow) -> list[Span]:
    """A segment's text, cut at its words, so that a player can follow and seek.

    Words that the engine spells differently from the text are not found; an edited text has no word
    times.
    """
    return list(_spans(segment.text, _words(segment)))


def _spans(text: str, words: list[dict[str, Any]]) -> Iterator[Span]:
    at = 0
    for word in words:
        said = word["word"].strip()
        found = re.compile(re.escape(said), re.IGNORECASE).search(text, at)
        if not said or not found:
            continue
        if found.start() > at:
            yield Span(text[at : found.start()])
        yield Span(found[0], word["start"], word["end"])
        at = found.end()
    if at < len(text):
        yield Span(text[at:])


def _words(row: SegmentRow) -> list[dict[str, Any]]:
    return row.words if row.original is None else []


def _segment(row: SegmentRow) -> Segment:
    words = tuple(map(word_from_json, _words(row)))
    return Segment(
        row.start,
        row.end,
        row.text,
        words,
        row.confidence,
        speaker=row.speaker,
        channel=row.channel,
    )
