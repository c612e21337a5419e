"""How much: the figures of a number, perhaps with a word such as "million"."""

from collections.abc import Sequence
from typing import NamedTuple

from coqui_server.readable.english.vocabulary import SCALES
from coqui_server.readable.numerals import Numeral
from coqui_server.readable.tokens import Token, at

_LARGE = ("million", "billion", "trillion")
"""Scales that are written as words: "3 million"."""


class Amount(NamedTuple):
    """A number in figures, in the place of so many tokens."""

    length: int
    text: str


def whole(tokens: Sequence[Token], index: int, least: int = 0, most: int = 10**15) -> int | None:
    """The whole number at an index, if there is one within these bounds."""
    token = tokens[index] if 0 <= index < len(tokens) else None
    value = token.whole if isinstance(token, Numeral) else None
    return value if value is not None and least <= value <= most else None


def next_whole(tokens: Sequence[Token], index: int, least: int, most: int) -> int | None:
    """As `whole`, right after the token before it."""
    return whole(tokens, index, least, most) if _joins(tokens, index) else None


def bare_scale(number: Numeral) -> bool:
    """Whether no number is before the scale: "hundred", "million and five"."""
    return number.spoken[0].lower in SCALES


def figures(number: Numeral) -> str:
    """The number alone: 42, 3.14, 2,500, 3 million."""
    value = number.whole
    if value is None or number.text.startswith("0"):
        return number.text
    last = number.spoken[-1].lower
    if last in _LARGE and len(number.spoken) > 1:
        return f"{value // 10 ** SCALES[last]:,} {last}"
    if 2000 < value < 2100:
        return str(value)
    thousands = any(token.lower == "thousand" for token in number.spoken)
    return f"{value:,}" if thousands or value >= 10_000 else str(value)


def amount(tokens: Sequence[Token], index: int) -> Amount | None:
    """The figures of "two hundred", "a hundred", "one fifty", "two point five million"."""
    if at(tokens, index) == "a":
        number = tokens[index + 1] if _joins(tokens, index + 1) else None
        if isinstance(number, Numeral) and not number.ordinal and bare_scale(number):
            only = len(number.spoken) == 1 and number.spoken[0].lower in _LARGE
            text = f"1 {number.spoken[0].lower}" if only else figures(number)
            return Amount(2, text)
        return None
    number = tokens[index]
    if not isinstance(number, Numeral) or number.ordinal:
        return None
    return _scaled(tokens, index, number) or _paired(tokens, index) or _plain(number)


def _scaled(tokens: Sequence[Token], index: int, number: Numeral) -> Amount | None:
    """A number with a scale that text2num does not join: "2.5" and "million"."""
    after = tokens[index + 1] if _joins(tokens, index + 1) else None
    if after is None or bare_scale(number):
        return None
    word = after.spoken[0].lower if isinstance(after, Numeral) else after.lower
    if word not in _LARGE or (isinstance(after, Numeral) and len(after.spoken) > 1):
        return None
    return Amount(2, f"{figures(number)} {word}")


def _paired(tokens: Sequence[Token], index: int) -> Amount | None:
    """A number in two parts without "hundred": "one fifty"."""
    hundreds, rest = whole(tokens, index, 1, 9), next_whole(tokens, index + 1, 10, 99)
    if hundreds is None or rest is None or next_whole(tokens, index + 2, 10, 99) is not None:
        return None
    return Amount(2, f"{hundreds}{rest}")


def _plain(number: Numeral) -> Amount | None:
    return None if bare_scale(number) else Amount(1, figures(number))


def _joins(tokens: Sequence[Token], index: int) -> bool:
    return index < len(tokens) and tokens[index].joins
