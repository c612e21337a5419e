"""A PDF: a title, and each segment beside its time; the fonts are inside.

fpdf2 shapes (HarfBuzz), orders (UAX #9) and embeds. Lines are broken here, by the widths of words:
fpdf2's own line breaking shapes the line again for each letter, and took four times as long.
"""

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache

from fpdf.enums import Align, XPos, YPos

from coqui_server.exports import fonts
from coqui_server.exports.direction import right_to_left
from coqui_server.exports.document import INVISIBLE, Document, clock
from coqui_server.exports.fpdf2_adapter import MixedFontsPdf
from coqui_transcript.transcript import Segment

_TITLE, _TEXT, _SMALL = 16.0, 11.0, 9.0
"""Points."""

_LEADING = 0.53
"""Millimetres of a line for a point of its letters; Persian needs more than Latin."""

_MARGIN, _TIMES, _GAP = 20.0, 18.0, 2.0
"""Millimetres: around the page, for the times, between segments."""

_BLACK, _GREY = 0, 90

_LONGEST_WORD = 300
"""Letters of a word; a longer one is cut. No line has room for more, unless they have no width."""


def write(document: Document) -> bytes:
    """The whole .pdf file."""
    pages = _Pages(document)
    pages.add_page()
    pages.head(document)
    for segment in document.segments:
        pages.segment(segment)
    return bytes(pages.output())


class _Pages(MixedFontsPdf):
    def __init__(self, document: Document) -> None:
        super().__init__(format="A4")
        # Otherwise a "{nb}" in the text would become the number of pages.
        self.alias_nb_pages("")
        self.set_title(document.title)
        self.set_creation_date(document.when)
        self.set_margin(_MARGIN)
        self.c_margin = 0
        lines = (segment.line for segment in document.segments)
        self._fonts = fonts.needed("".join([document.title, document.about, *lines]))
        self.use_fonts(self._fonts)
        self._width = cache(self._measure)

    def footer(self) -> None:
        """The number of the page."""
        self.set_y(-_MARGIN)
        self._set_style(self._fonts[0], _SMALL, _GREY)
        self.cell(0, _MARGIN / 2, str(self.page_no()), align=Align.C)

    def head(self, document: Document) -> None:
        """The title, and the line under it."""
        rtl = right_to_left(document.title)
        self._write(document.title, rtl, _TITLE, _BLACK)
        self._write(document.about, False, _SMALL, _GREY)
        self.ln(2 * _GAP)

    def segment(self, segment: Segment) -> None:
        """One segment; its time is where the line begins."""
        rtl = right_to_left(segment.text)
        height = _TEXT * _LEADING
        self._set_style(self._fonts[0], _SMALL, _GREY)
        self.set_x(self.w - _MARGIN - _TIMES if rtl else _MARGIN)
        self.cell(_TIMES, height, clock(segment.start), align=Align.R if rtl else Align.L)
        self._write(segment.line, rtl, _TEXT, _BLACK, indent=_TIMES)
        self.ln(_GAP)

    def _write(self, text: str, rtl: bool, size: float, grey: int, indent: float = 0) -> None:
        text = "".join(
            letter if self.has(letter) or letter in INVISIBLE else fonts.MISSING for letter in text
        )
        font = fonts.fitting(text, self._fonts)
        room = self.epw - indent
        for line in self._broken(text, font, size, room):
            self._set_style(font, size, grey, rtl)
            self.set_x(_MARGIN if rtl else _MARGIN + indent)
            self.cell(
                room,
                size * _LEADING,
                line,
                align=Align.R if rtl else Align.L,
                new_x=XPos.LMARGIN,
                new_y=YPos.NEXT,
            )

    def _set_style(self, font: fonts.Font, size: float, grey: int, rtl: bool = False) -> None:
        self.set_line_font(font, size)
        self.set_text_color(grey)
        self.set_text_shaping(True, direction="rtl" if rtl else "ltr")

    def _broken(self, text: str, font: fonts.Font, size: float, room: float) -> Iterator[str]:
        """The text in lines that are no wider than `room`."""
        space = self._width(" ", font, size)
        line: list[str] = []
        used = 0.0
        for word in self._cut(text, font, size, room):
            width = self._width(word, font, size)
            if line and used + space + width > room:
                yield " ".join(line)
                line, used = [], 0.0
            used += space + width if line else width
            line.append(word)
        yield " ".join(line)

    def _cut(self, text: str, font: fonts.Font, size: float, room: float) -> Iterator[str]:
        """The words; one that no line has room for (Chinese has no spaces) in several pieces."""
        for word in text.split():
            while len(word) > _LONGEST_WORD or self._width(word, font, size) > room:
                place = self._last_place(word[:_LONGEST_WORD], font, size, room)
                yield word[:place]
                word = word[place:]
            if word:
                yield word

    def _last_place(self, word: str, font: fonts.Font, size: float, room: float) -> int:
        """Where to cut so that the first part just fits, and no accent is cut off."""
        ends = range(1, len(word) + 1)
        place = bisect_right(ends, room, key=lambda end: self._measure(word[:end], font, size))
        while place > 1 and unicodedata.category(word[place : place + 1] or "x")[0] == "M":
            place -= 1
        return max(place, 1)

    def _measure(self, text: str, font: fonts.Font, size: float) -> float:
        self._set_style(font, size, _BLACK)
        return self.get_string_width(text)
