"""The fonts of a PDF: packages under the SIL Open Font License, and what each has letters for.

`IBM Plex Sans Arabic` has one glyph for each Persian letter. Noto's Arabic fonts put the dots on as
glyphs of their own, so that what is copied or searched for in the PDF comes out as rubbish.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path

from fontTools.ttLib import TTFont

MISSING = "\ufffd"
"""What stands for a letter that no font has."""


@dataclass(frozen=True)
class Font:
    """A font file and the letters it has."""

    path: Path
    letters: frozenset[str] = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """In small letters, as fpdf2 takes a B or an I in a name for bold or italic."""
        return self.path.stem.lower()


def needed(letters: Iterable[str]) -> list[Font]:
    """The fonts that together have all of these letters and `MISSING`, as far as any has them."""
    wanted, chosen = {*letters, MISSING}, []
    for path in _paths():
        if not wanted:
            break
        font = _font(path)
        if found := wanted & font.letters:
            chosen.append(font)
            wanted -= found
    return chosen


def fitting(text: str, fonts: Sequence[Font]) -> Font:
    """The font that has most of a text's letters, the first of equals."""
    return max(fonts, key=lambda font: sum(letter in font.letters for letter in text))


@cache
def _paths() -> list[Path]:
    """Latin, Greek and Cyrillic first, then Persian, then Korean and what else is East Asian."""
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
