"""The words that are spoken for each word of a written English text."""

import re
import unicodedata
from collections.abc import Iterator

from coqui_server.word_times import numbers

_PIECE = re.compile(
    r"\d[\d,.]*(?:(?:st|nd|rd|th|'?s)(?![a-z]))?|[a-z]+(?:'[a-z]+)*|[%&@+=]", re.IGNORECASE
)
_CLOCK = re.compile(r"\b(\d{1,2}):(\d\d)\b")
_MONEY = re.compile(r"([$€£])(\d[\d,]*)(?:\.(\d\d))?(?!\d)")
_TELEPHONE = re.compile(r"\d{3}-(\d{3}-)?\d{4}")
_MONEYS = {"$": "dollars", "€": "euros", "£": "pounds"}
_SIGNS = {"%": "percent", "&": "and", "@": "at", "+": "plus", "=": "equals"}


def spoken(word: str) -> list[str]:
    """The words that are spoken for a word between spaces; empty for a mark without a sound.

    Letters that are all capitals stay so: what is not in a dictionary is then spelled.
    """
    plain = "".join(map(_plain, word))
    plain = _MONEY.sub(_money, _CLOCK.sub(_time, plain))
    plain = _TELEPHONE.sub(lambda found: " ".join(found[0]), plain)
    return [said for piece in _PIECE.findall(plain) for said in _said(piece)]


def _plain(letter: str) -> str:
    """The letter without its accent, and one kind of apostrophe."""
    if letter in "\u2019\u02bc":
        return "'"
    return unicodedata.normalize("NFKD", letter)[0]


def _money(found: re.Match[str]) -> str:
    sign, whole, cents = found.groups()
    return f"{whole} {_MONEYS[sign]} {cents or ''}"


def _time(found: re.Match[str]) -> str:
    hour, minutes = found.groups()
    return hour if minutes == "00" else f"{hour} {minutes}"


def _said(piece: str) -> Iterator[str]:
    if piece[0].isdecimal():
        yield from numbers.spoken(piece.rstrip(",.").lower())
    else:
        yield _SIGNS.get(piece, piece)
