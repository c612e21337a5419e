"""Numbers that are nothing else: which are written in digits, and which stay words."""

from collections.abc import Sequence
from itertools import pairwise

from coqui_server.readable import numerals
from coqui_server.readable.english.amounts import amount, next_whole, whole
from coqui_server.readable.english.dates import year
from coqui_server.readable.english.vocabulary import COUNTED, MONTHS, NUMBERED, SCALES, UNITS
from coqui_server.readable.numbers import LEAST_IN_DIGITS
from coqui_server.readable.numerals import Numeral
from coqui_server.readable.tokens import Match, Token, at, follows, words, written

_BARRED = frozenset(("o", "oh"))
"""Zeros between digits alone, for which there are rules of their own."""

_TOGETHER = {(50, 50): "50/50", (24, 7): "24/7"}

_LASTING = words(
    "delay timeout break pause clip ad rule video timer window interval limit silence warning "
    "recording spot"
)
"""What may be "thirty second": thirty seconds long."""

_PRONOUN = words("this that the which each every no any some another other")
"""Words before "one" where it is no number."""


def found(tokens: Sequence[Token]) -> list[Token]:
    """The tokens with numerals; what only looks like a number stays words."""
    result: list[Token] = []
    for token in numerals.find(tokens, "en", _BARRED):
        sound = not isinstance(token, Numeral) or _sound(token)
        result.extend((token,) if sound else _spoken(token))
    return result


def _sound(number: Numeral) -> bool:
    """Whether text2num has understood it: it takes scales in any order, and any "and"."""
    said = [token.lower for token in number.spoken]
    large = [SCALES[word] for word in said if word in SCALES and word != "hundred"]
    falling = all(first > second for first, second in pairwise(large))
    joined = all(said[place - 1] in SCALES for place, word in enumerate(said) if word == "and")
    plural = any(word.endswith("s") for word in said)
    return falling and joined and not plural and "and" not in (said[0], said[-1])


def _together(tokens: Sequence[Token], index: int) -> Match | None:
    """ "fifty fifty": 50/50."""
    first, second = whole(tokens, index), next_whole(tokens, index + 1, 0, 99)
    text = _TOGETHER.get((first, second)) if first and second else None
    return Match(2, (written(text, tokens[index]),)) if text else None


def _pair(tokens: Sequence[Token], index: int) -> Match | None:
    """Two numbers without "hundred" between them: "nineteen eighty four", "two twenty"."""
    if at(tokens, index - 1) in _PRONOUN and whole(tokens, index) == 1:
        return None
    several = year(tokens, index) if whole(tokens, index, 11, 20) else None
    if several and follows(tokens, index + several.length) not in COUNTED:
        return Match(several.length, (written(several.text, tokens[index]),))
    first, rest = whole(tokens, index, 1, 9), next_whole(tokens, index + 1, 10, 99)
    if first is None or rest is None or year(tokens, index + 1):
        return None
    return Match(2, (written(f"{first}{rest}", tokens[index]),))


def _a_scale(tokens: Sequence[Token], index: int) -> Match | None:
    """ "a hundred and five": 105; but "a hundred" stays."""
    number = tokens[index + 1] if index + 1 < len(tokens) else None
    if not isinstance(number, Numeral) or len(number.spoken) < 2:
        return None
    much = amount(tokens, index) if at(tokens, index) == "a" else None
    return much and Match(much.length, (written(much.text, tokens[index]),))


def _lasting(tokens: Sequence[Token], index: int) -> Match | None:
    """ "thirty second delay": 30 second delay."""
    number = tokens[index]
    if not isinstance(number, Numeral) or not number.ordinal or len(number.spoken) != 2:
        return None
    if number.spoken[1].lower != "second" or follows(tokens, index + 1) not in _LASTING:
        return None
    return Match(1, (written(str(int(number.value) - 2), number), number.spoken[1]))


def _rest(tokens: Sequence[Token], index: int) -> Match | None:
    """Any other numeral."""
    number = tokens[index]
    if not isinstance(number, Numeral):
        return None
    if number.ordinal:
        plain = number.value >= LEAST_IN_DIGITS and not _is_fraction(tokens, index)
        return Match(1, (written(number.text, number),) if plain else number.spoken)
    much = amount(tokens, index)
    if much is None or not _in_digits(tokens, index):
        return Match(1, number.spoken)
    return Match(much.length, (written(much.text, number),))


def _in_digits(tokens: Sequence[Token], index: int) -> bool:
    number = tokens[index]
    assert isinstance(number, Numeral)
    said = [token.lower for token in number.spoken[:2]]
    if said == ["one", "point"] and at(tokens, index - 1) == "at":
        return _unit(tokens, index + 1)
    if follows(tokens, index + 1) == "and" and at(tokens, index + 2) in ("a", "half", "quarter"):
        return at(tokens, index + 3) not in ("half", "quarter") and at(tokens, index + 2) == "a"
    large = number.value >= LEAST_IN_DIGITS or not number.text.isdecimal() or number.text[:1] == "0"
    return (large and number.text != "0") or _in_range(tokens, index)


def _in_range(tokens: Sequence[Token], index: int) -> bool:
    """Whether a small number is beside one in digits: "five to ten", "between 5 and 20"."""
    for step in (-1, 1):
        word, other = at(tokens, index + step), index + 2 * step
        if step > 0 and (word, at(tokens, other)) == ("out", "of"):
            other += 1
        elif word not in ("to", "or", "by") and not (
            word == "and" and _between(tokens, index, step)
        ):
            continue
        far = whole(tokens, other, LEAST_IN_DIGITS)
        measured = step > 0 and whole(tokens, other) and _unit(tokens, other + 1)
        if (far or measured) and not year(tokens, other):
            return True
    return False


def _between(tokens: Sequence[Token], index: int, step: int) -> bool:
    return at(tokens, index - 1 if step > 0 else index - 3) == "between"


def _unit(tokens: Sequence[Token], index: int) -> bool:
    return follows(tokens, index) in UNITS | {"percent", "per", "dollars", "euros", "pounds"}


def _is_fraction(tokens: Sequence[Token], index: int) -> bool:
    """ "a tenth", "one tenth", "three tenths", "one hundredth of"."""
    number = tokens[index]
    assert isinstance(number, Numeral)
    if number.text.endswith("s") or at(tokens, index - 1) == "a":
        return True
    one = index > 0 and isinstance(tokens[index - 1], Numeral) and tokens[index - 1].text == "1"
    counted = one and at(tokens, index - 2) not in NUMBERED | MONTHS
    return (counted and number.joins) or (
        number.spoken[0].lower == "one" and follows(tokens, index + 1) == "of"
    )


def _spoken(token: Token) -> tuple[Token, ...]:
    return token.spoken if isinstance(token, Numeral) else (token,)


RULES = (_together, _pair, _a_scale, _lasting, _rest)
