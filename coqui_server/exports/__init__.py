"""A transcript as a file to keep: the table of formats. No I/O, no store.

Everything here is plain computation. DOCX and PDF take milliseconds for a segment, so run
them on a thread: `await asyncio.to_thread(FORMATS["pdf"].render, document)`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from coqui_server.exports import docx, json, pdf, subtitles, text
from coqui_server.exports.document import Document

__all__ = ["FORMATS", "Document", "Format"]


@dataclass(frozen=True)
class Format:
    """One file format.

    Attributes:
        extension: of its files, without a dot; also the format's name.
        media_type: the `Content-Type` of its files.
    """

    extension: str
    media_type: str
    _write: Callable[[Document], bytes]

    def render(self, document: Document) -> bytes:
        """The bytes of the whole file. Control characters in the text have no effect."""
        return self._write(document.plain())


_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

FORMATS: Mapping[str, Format] = {
    format.extension: format
    for format in (
        Format("txt", "text/plain; charset=utf-8", text.write),
        Format("srt", "application/x-subrip; charset=utf-8", subtitles.srt),
        Format("vtt", "text/vtt; charset=utf-8", subtitles.vtt),
        Format("json", "application/json", json.write),
        Format("docx", _WORD, docx.write),
        Format("pdf", "application/pdf", pdf.write),
    )
}
"""Every format by its extension."""
