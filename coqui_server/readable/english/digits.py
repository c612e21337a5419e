"""Digits that are said one after the other: telephone numbers, cards, codes."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from coqui_server.readable.english.vocabulary import (
    CLOCK_CUES,
    DIGITS,
    REPEATS,
    SCALES,
    TEENS,
    TENS,
)
from coqui_server.readable.tokens import LONGEST, Match, Token, at, follows, renamed, words, written

_LONG = 7
"""From so many digits on they are a telephone number or a card's, which has groups and may be said
in groups ("twelve thirty four")."""

_CARD = 15
"""Digits of a card's number, at least."""

_REFERENCES = words(
    "order reference account invoice ticket booking tracking customer serial case claim policy "
    "member id passport"
)

_CODES = words("code number pin digits password extension id")

_COUNTED = "12345678910"
_COUNTED_DOWN = "10987654321"

_SHAPES = tuple(
    (re.compile(shape), groups)
    for shape, groups in (
        (r"([2-9]\d\d)(\d{4})", r"\1-\2"),
        (r"1([2-9]\d\d)([2-9]\d\d)(\d{4})", r"1-\1-\2-\3"),
        (r"([2-9]\d\d)([2-9]\d\d)(\d{4})", r"\1-\2-\3"),
        (r"(02\d)(\d{4})(\d{4})", r"\1 \2 \3"),
        (r"(0[389]\d\d)(\d{3})(\d{4})", r"\1 \2 \3"),
        (r"(0[17]\d{3})(\d{6})", r"\1 \2"),
        (r"(3[47]\d\d)(\d{6})(\d{5})", r"\1 \2 \3"),
        (r"(\d{4})(\d{4})(\d{4})(\d{4})", r"\1 \2 \3 \4"),
    )
)
"""Groups of digits: of North American numbers (NANP), of British ones (Ofcom, National Telephone
Numbering Plan), of American Express cards and of other cards (ISO/IEC 7812)."""

_ABROAD = (
    (re.compile(r"44(20)(\d{4})(\d{4})"), r"+44 \1 \2 \3"),
    (re.compile(r"44(\d{4})(\d{6})"), r"+44 \1 \2"),
    (re.compile(r"1(\d{3})(\d{3})(\d{4})"), r"+1 \1-\2-\3"),
)
"""Numbers after a plus, with the code of their country (ITU-T E.164)."""


class Piece(NamedTuple):
    """Some words of a row of digits.

    Attributes:
        single: whether the digits were said one by one.
    """

    length: int
    digits: str
    single: bool = True


def piece(tokens: Sequence[Token], index: int) -> Piece | None:
    """The digits at an index: "five", "5", "double five", "twelve", "thirty four"."""
    word = at(tokens, index)
    if digit := _digit(tokens, index):
        return Piece(1, digit)
    if (times := REPEATS.get(word)) and follows(tokens, index + 1):
        digit = _digit(tokens, index + 1)
        return Piece(2, digit * times) if digit else None
    if word in TEENS:
        return Piece(1, TEENS[word], single=False)
    if word in TENS:
        unit = DIGITS.get(follows(tokens, index + 1), "0")
        if unit == "0":
            return Piece(1, TENS[word] + "0", single=False)
        return Piece(2, TENS[word] + unit, single=False)
    return None


def _digit(tokens: Sequence[Token], index: int) -> str:
    """A single digit, as a word or as an engine has written it; "" if there is none."""
    if not 0 <= index < len(tokens):
        return ""
    token = tokens[index]
    if not token.word:
        return token.text if len(token.text) == 1 and token.text in "0123456789" else ""
    return DIGITS.get(token.lower, "")


def _pieces(tokens: Sequence[Token], start: int) -> Iterator[Piece]:
    """The pieces from an index on, with only spaces, hyphens or commas between them."""
    index = start
    while index < min(len(tokens), start + LONGEST):
        if index > start and not (tokens[index].joins or tokens[index].before.strip() == ","):
            return
        found = piece(tokens, index)
        if found is None and _hundred(tokens, index) and index > start:
            found = Piece(1, "00")
        if found is None:
            return
        yield found
        index += found.length


def _hundred(tokens: Sequence[Token], index: int) -> bool:
    """Whether "hundred" is two zeros here: "one eight hundred five five five ..."."""
    if at(tokens, index) != "hundred" or not _digit(tokens, index - 1):
        return False
    return all(_digit(tokens, index + ahead) for ahead in range(1, 4))


def _row(tokens: Sequence[Token], index: int) -> Match | None:
    """Three digits or more in one; two if they were said as "double five"."""
    if _goes_on(tokens, index):
        return None
    pieces = list(_pieces(tokens, index))
    if len(pieces) > 1 and at(tokens, index + _length(pieces)) in ("point", *SCALES):
        pieces.pop()
    if not _long(pieces):
        pieces = _single(tokens, index, pieces)
    length, digits = _length(pieces), "".join(part.digits for part in pieces)
    if len(digits) < 3 and not (length == 2 and _repeats(tokens, index)):
        return None
    if (
        _counts(tokens, index, digits)
        or _exclaims(tokens, index, digits)
        or _tells_time(tokens, index, length)
    ):
        return Match(length, tuple(tokens[index : index + length]))
    text = digits if _refers(tokens, index, digits) else _grouped(digits)
    return Match(length, (written(text, tokens[index]),))


def _refers(tokens: Sequence[Token], index: int, digits: str) -> bool:
    """Whether it is the number of an order and the like, which has no groups."""
    before = (at(tokens, index - step) for step in range(1, 5))
    return len(digits) < _CARD and any(word in _REFERENCES for word in before)


def _counts(tokens: Sequence[Token], index: int, digits: str) -> bool:
    """Whether somebody counts: "one two three", "five four three two one"."""
    if digits == "1234" or (at(tokens, index - 1) == "is" and at(tokens, index - 2) in _CODES):
        return False
    return _COUNTED.startswith(digits) or (len(digits) > 2 and _COUNTED_DOWN.endswith(digits))


def _repeats(tokens: Sequence[Token], index: int) -> bool:
    """Whether it is "double five", and not "a double one" or "double o"."""
    zero = at(tokens, index + 1) in ("o", "oh")
    return at(tokens, index) in REPEATS and at(tokens, index - 1) != "a" and not zero


def _exclaims(tokens: Sequence[Token], index: int, digits: str) -> bool:
    """Whether it may be an exclamation: "oh oh oh", "oh one two"."""
    return at(tokens, index) in ("oh", "o") and (len(digits) < 5 or not digits.strip("0"))


def _tells_time(tokens: Sequence[Token], index: int, length: int) -> bool:
    """Whether it is a time of day: "at seven oh five", "seven oh five p m"."""
    after = at(tokens, index + length) + at(tokens, index + length + 1)
    told = at(tokens, index - 1) in CLOCK_CUES or after[:2] in ("am", "pm")
    return length == 3 and at(tokens, index + 1) in ("oh", "o") and told


def _decimals(tokens: Sequence[Token], index: int) -> Match | None:
    """The digits after a decimal point, which are no row of their own."""
    before = at(tokens, index - 1)
    if follows(tokens, index) != "point" or before not in (*DIGITS, *TEENS, *TENS, *SCALES):
        return None
    length = _length(_single(tokens, index + 1, list(_pieces(tokens, index + 1))))
    kept = tokens[index : index + 1 + length]
    return Match(len(kept), tuple(renamed(t, "zero") if t.lower == "oh" else t for t in kept))


def _goes_on(tokens: Sequence[Token], index: int) -> bool:
    """Whether the token belongs to a number in words before it: "twenty five five five"."""
    before = at(tokens, index - 1)
    if at(tokens, index) not in DIGITS or not tokens[index].joins:
        return False
    return before in TENS or (before == "and" and at(tokens, index - 2) in SCALES)


def _single(tokens: Sequence[Token], index: int, pieces: list[Piece]) -> list[Piece]:
    """The pieces up to the first that is no digit said alone, or has a comma before it."""
    kept: list[Piece] = []
    place = index
    for part in pieces:
        if not part.single or (kept and not tokens[place].joins):
            break
        kept.append(part)
        place += part.length
    return kept


def _long(pieces: Sequence[Piece]) -> bool:
    alone = sum(len(part.digits) for part in pieces if part.single)
    return alone >= 3 and sum(len(part.digits) for part in pieces) >= _LONG


def _length(pieces: Sequence[Piece]) -> int:
    return sum(part.length for part in pieces)


def _abroad(tokens: Sequence[Token], index: int) -> Match | None:
    """A telephone number after "plus"."""
    if at(tokens, index) != "plus" or index + 1 >= len(tokens):
        return None
    pieces = list(_pieces(tokens, index + 1))
    digits = "".join(part.digits for part in pieces)
    if not _long(pieces):
        return None
    shapes = (match.expand(groups) for form, groups in _ABROAD if (match := form.fullmatch(digits)))
    number = next(shapes, f"+{digits}")
    return Match(1 + _length(pieces), (written(number, tokens[index]),))


def _grouped(digits: str) -> str:
    """The digits in the groups of a telephone or card number, if they have its form."""
    found = (match.expand(groups) for form, groups in _SHAPES if (match := form.fullmatch(digits)))
    return next(found, digits)


RULES = (_decimals, _abroad, _row)
