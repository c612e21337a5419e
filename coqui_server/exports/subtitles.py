"""SRT and WebVTT, made as the command-line client makes them."""

from coqui_client import formats
from coqui_client.transcript import Segment, Transcript, Word
from coqui_server.exports.document import Document


def srt(document: Document) -> bytes:
    """SubRip in UTF-8."""
    return formats.srt(_transcript(document)).encode()


def vtt(document: Document) -> bytes:
    """WebVTT, which is always UTF-8."""
    return formats.vtt(_transcript(document)).encode()


def _transcript(document: Document) -> Transcript:
    segments = tuple(
        Segment(
            *(segment.start, segment.end, segment.line),
            words=tuple(Word(word.text, word.start, word.end) for word in segment.words),
        )
        for segment in document.segments
    )
    return Transcript("", document.duration, segments, {})
