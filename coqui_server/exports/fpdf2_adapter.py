"""The one place that changes how `fpdf2` behaves.

`_parse_chars`, which cuts a text into pieces of one font, is private and is overridden. The public
way, `set_fallback_fonts`, takes the first fallback font that has a letter, not the font of the
line, and cuts before each accent, which then stands at the foot of its letter.

`tests/exports/test_fpdf2_adapter.py` fails when an upgrade changes that method.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby

from fpdf import FPDF
from fpdf.line_break import Fragment

from coqui_server.exports.document import INVISIBLE
from coqui_server.exports.fonts import Font


class MixedFontsPdf(FPDF):
    """A PDF whose lines are set in one font each, with letters of other fonts where it has none."""

    def use_fonts(self, fonts: Sequence[Font]) -> None:
        """Embed these fonts. A letter that the line's font lacks comes from the first with it."""
        self._font_of = {letter: font for font in reversed(fonts) for letter in font.letters}
        for font in fonts:
            self.add_font(font.name, fname=font.path)
        self._line_font = fonts[0]

    def has(self, letter: str) -> bool:
        """Whether any of the fonts has this letter."""
        return letter in self._font_of

    def set_line_font(self, font: Font, size: float) -> None:
        """Set the font of what is written next; `size` in points."""
        self._line_font = font
        self.set_font(font.name, size=size)

    def _parse_chars(self, text: str, *_: object, **__: object) -> Iterator[Fragment]:
        """The text in pieces of one font each. An accent or a joiner stays with its letter."""
        font, pieces = self._line_font, []
        for letter in text:
            own = unicodedata.category(letter) in ("Mn", "Me") and letter in font.letters
            if not own and letter not in INVISIBLE:
                line_has_it = letter in self._line_font.letters
                font = self._line_font if line_has_it else self._font_of[letter]
            pieces.append((font, letter))
        for font, run in groupby(pieces, key=lambda piece: piece[0]):
            state = self._get_current_graphics_state()
            state.font_family, state.current_font = font.name, self.fonts[font.name]
            yield Fragment("".join(letter for _, letter in run), state, self.k)
