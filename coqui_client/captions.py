"""What is being said, on standard output while it is said."""

import os
import sys
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from coqui_client.reply import Reply

_GREY, _PLAIN = "\x1b[90m", "\x1b[0m"
_ERASE = "\r\x1b[K"
_USUAL_COLUMNS = 80
_WAITING = "(listening)"


class Display(Protocol):
    """What shows the course of a live session."""

    @property
    def interim(self) -> bool:
        """Whether partials are shown."""

    def listening(self) -> None:
        """The session begins."""

    def sent(self, count: float) -> None:
        """Another `count` seconds of sound were sent."""

    def heard(self, text: str, *, final: bool = False) -> None:
        """Show the text of a partial or final; raises OSError."""


class CaptionLine:
    """The last line of a terminal: a partial that is written over, a final that stays.

    Its methods give the characters to be written. Control characters are left out.

    Args:
        ansi: the terminal takes escape sequences (ECMA-48): grey, and erase to the end.
    """

    def __init__(self, ansi: bool) -> None:
        self._ansi = ansi
        self._shown = 0

    def partial(self, text: str, columns: int) -> str:
        """Show the end of `text`, as much as fits: a line that wraps cannot be written over."""
        erase, tail = self.erase(), _tail(_clean(text), columns - 1)
        self._shown = _width(tail)
        return erase + (f"{_GREY}{tail}{_PLAIN}" if self._ansi and tail else tail)

    def final(self, text: str) -> str:
        """Show all of `text`, and go to the next line."""
        return f"{self.erase()}{_clean(text)}\n"

    def erase(self) -> str:
        """Erase the partial."""
        shown, self._shown = self._shown, 0
        if not shown:
            return ""
        return _ERASE if self._ansi else f"\r{' ' * shown}\r"


class Captions:
    """Finals on standard output as they come, and partials before them if it is a terminal.

    Takes the place of the outputs that write a transcript at the end.

    Args:
        several: there is more than one file; each has a line `== name ==` before it.
    """

    def __init__(self, several: bool) -> None:
        self.interim = sys.stdout.isatty()
        self._line = CaptionLine(takes_ansi(os.environ, sys.platform))
        self._several = several
        self._first = True

    def begin(self, path: Path) -> None:
        """The text from now on is that of the file at `path`."""
        if self._several:
            gap = "" if self._first else "\n"
            _show(f"{gap}== {path} ==\n")
        self._first = False

    def listening(self) -> None:
        """Show "(listening)" until there is text."""
        self.heard(_WAITING)

    def sent(self, count: float) -> None:
        """Nothing: the text shows the progress."""

    def heard(self, text: str, *, final: bool = False) -> None:
        """Write a final, or a partial over the one before."""
        if final:
            _show(self._line.final(text))
        elif self.interim:
            _show(self._line.partial(text, _columns()))

    def write(self, index: int, path: Path, reply: Reply) -> None:
        """Nothing: the finals are written already."""

    def close(self) -> None:
        """Erase a partial that is left."""
        if rest := self._line.erase():
            _show(rest)


def takes_ansi(environment: Mapping[str, str], platform: str) -> bool:
    """Whether a terminal takes escape sequences; the old console of Windows does not."""
    if platform == "win32" and not environment.keys() & {"WT_SESSION", "TERM", "ANSICON"}:
        return False
    return environment.get("TERM") != "dumb"


def _clean(text: str) -> str:
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())


def _tail(text: str, columns: int) -> str:
    if _width(text) <= columns:
        return text
    used, start = 1, len(text)
    while start and (used := used + _width(text[start - 1])) <= columns:
        start -= 1
    return f"\u2026{text[start:]}"


def _width(text: str) -> int:
    """Columns; Chinese, Japanese and Korean letters have two, combining accents none."""
    return sum(
        0 if unicodedata.combining(letter) else 1 + (unicodedata.east_asian_width(letter) in "WF")
        for letter in text
    )


def _columns() -> int:
    # A terminal without a size, as in a container or an emulator, says 0.
    return os.get_terminal_size(sys.stdout.fileno()).columns or _USUAL_COLUMNS


def _show(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
