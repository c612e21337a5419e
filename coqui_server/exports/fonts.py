"""The fonts of a PDF: packages under the SIL Open Font License, and the letters of each.

`IBM Plex Sans Arabic` has one glyph for each Persian letter. Noto's Arabic fonts put the dots on as
glyphs of their own, so that text copied from the PDF, or searched in it, is wrong.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path

from fontTools.ttLib import TTFont

MISSING = "\ufffd"
"""Shown for a letter that no font has."""


@dataclass(frozen=True)
class Font:
    """A font file and the letters it has."""

    path: Path
    letters: frozenset[str] = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """In lower case: fpdf2 reads a capital B or I in a name as bold or italic."""
        return self.path.stem.lower()


def needed(letters: Iterable[str]) -> list[Font]:
    """The fonts that together have all of these letters and `MISSING`, as far as any has them."""
    missing, chosen = {*letters, MISSING}, []
    for path in _paths():
        if not missing:
            break
        font = _font(path)
        if covered := missing & font.letters:
            chosen.append(font)
            missing -= covered
    return chosen


def fitting(text: str, fonts: Sequence[Font]) -> Font:
    """The font that has most of a text's letters, the first of equals."""
    return max(fonts, key=lambda font: sum(letter in font.letters for letter in text))


@cache
def _paths() -> list[Path]:
    """Latin, Greek and Cyrillic first, then Persian, then Korean, then the rest."""
    noto, plex, korean = (
        Path(str(files(package)))
        for package in ("manimgx_fonts", "fontpkg_ibm_plex_sans_arabic", "pylopdf_fonts_ko")
    )
    first = [
        noto / "NotoSans[wght].ttf",
        plex / "files" / "IBMPlexSansArabic-Regular.ttf",
        korean / "NotoSansKR-Regular.otf",
    ]
    rest = {path for path in noto.glob("Noto*.ttf") if "Italic" not in path.name}
    return [*first, *sorted(rest - {*first})]


@cache
def _font(path: Path) -> Font:
    with TTFont(path, lazy=True) as font:
        return Font(path, frozenset(map(chr, font.getBestCmap())))
