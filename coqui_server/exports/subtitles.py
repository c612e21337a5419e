"""SRT and WebVTT, as the command-line client writes them."""

from coqui_server.exports.document import Document
from coqui_transcript import subtitles


def srt(document: Document) -> bytes:
    """SubRip in UTF-8."""
    return subtitles.srt(document.transcript).encode()


def vtt(document: Document) -> bytes:
    """WebVTT, which is always UTF-8."""
    return subtitles.vtt(document.transcript).encode()
