"""A stored session as people read it: on a page and in exports."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coqui_server.config.audio import Kind
from coqui_server.exports import Document
from coqui_server.store.tables import SegmentRow, SessionRow
from coqui_transcript.alignment import Stretch, stretches
from coqui_transcript.mapping import warnings_from_json, word_from_json
from coqui_transcript.transcript import Segment

KINDS: Mapping[Kind, str] = {"file": "File", "live": "Live", "rtp": "Call"}
"""The name of each kind of session for people."""


def titled(session: SessionRow) -> str:
    """The title of a session: its label, or its date."""
    return session.label or f"{KINDS[session.kind]} {session.start:%Y-%m-%d %H.%M}"


def document(session: SessionRow) -> Document:
    """A session as a document; segments with an empty text are left out."""
    segments = tuple(_segment(row, session.names) for row in session.segments if row.text)
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

    Words that are written otherwise ("five five five", "555") have one span together; an edited
    text has no word times.
    """
    words = [word_from_json(word) for word in _words(segment)]
    return list(_spans(segment.text, stretches(segment.text, words)))


def _spans(text: str, found: Sequence[Stretch]) -> Iterator[Span]:
    at = 0
    for piece in found:
        if piece.first > at:
            yield Span(text[at : piece.first])
        yield Span(text[piece.first : piece.last], piece.start, piece.end)
        at = piece.last
    if at < len(text):
        yield Span(text[at:])


def _words(row: SegmentRow) -> list[dict[str, Any]]:
    return row.words if row.original is None else []


def _segment(row: SegmentRow, names: Mapping[str, str]) -> Segment:
    words = tuple(map(word_from_json, _words(row)))
    return Segment(
        row.start,
        row.end,
        row.text,
        words,
        row.confidence,
        speaker=row.speaker and names.get(row.speaker, row.speaker),
        channel=row.channel,
    )
