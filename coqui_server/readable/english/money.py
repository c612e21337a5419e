"""Money, per cent, and amounts in units."""

from collections.abc import Sequence

from coqui_server.readable.english.amounts import Amount, amount, next_whole
from coqui_server.readable.english.vocabulary import CURRENCIES, HUNDREDTHS, UNITS
from coqui_server.readable.numerals import Numeral
from coqui_server.readable.tokens import Match, Token, at, follows, words, written

_AFTER_PRICE = words("please each for in and at on a per plus or to is was")
"""Words after "five dollars fifty", where the fifty is cents."""


def _money(tokens: Sequence[Token], index: int) -> Match | None:
    """ "twenty five dollars and fifty cents": $25.50."""
    much = amount(tokens, index)
    if much is None:
        return None
    place = index + much.length
    word = follows(tokens, place)
    sign = CURRENCIES.get(word, "£" if word in ("pound", "pounds") else "")
    if not sign:
        return None
    if much.text.isdecimal():
        much = much._replace(text=f"{int(much.text):,}")
    exact = much.text.replace(",", "").isdecimal()
    rest = _hundredths(tokens, place + 1, sign) if exact else None
    if rest:
        text = f"{sign}{much.text}.{rest.text}"
        return Match(much.length + 1 + rest.length, (written(text, tokens[index]),))
    if sign == "£":
        # Pounds may be a weight.
        return Match(much.length, (written(much.text, tokens[index]),))
    return Match(much.length + 1, (written(sign + much.text, tokens[index]),))


def _shared_sign(tokens: Sequence[Token], index: int) -> Match | None:
    """The first of two amounts: "five to ten dollars", "between five and ten dollars"."""
    first, word = amount(tokens, index), follows(tokens, index + 1)
    between = word == "and" and at(tokens, index - 1) == "between"
    if first is None or first.length > 1 or not (word in ("to", "or") or between):
        return None
    second = amount(tokens, index + 2) if index + 2 < len(tokens) else None
    sign = second and CURRENCIES.get(follows(tokens, index + 2 + second.length))
    return Match(1, (written(f"{sign}{first.text}", tokens[index]),)) if sign else None


def _hundredths(tokens: Sequence[Token], index: int, sign: str) -> Amount | None:
    """The cents after dollars: " and fifty cents", " fifty"."""
    place = index + (follows(tokens, index) == "and")
    cents = next_whole(tokens, place, 1, 99)
    if cents is None or (place > index and not tokens[index].joins):
        return None
    if follows(tokens, place + 1) in HUNDREDTHS[sign]:
        return Amount(place - index + 2, f"{cents:02}")
    more = follows(tokens, place + 1)
    last = not more and not (place + 1 < len(tokens) and tokens[place + 1].joins)
    if place == index and cents >= 10 and (last or more in _AFTER_PRICE):
        return Amount(1, str(cents))
    return None


def _per_cent(tokens: Sequence[Token], index: int) -> Match | None:
    """ "twenty five per cent": 25%."""
    much = _fraction(tokens, index) or amount(tokens, index)
    if much is None:
        return None
    place = index + much.length
    length = _per_cent_length(tokens, place)
    if not length or " " in much.text:
        return None
    return Match(much.length + length, (written(f"{much.text}%", tokens[index]),))


def _per_cent_length(tokens: Sequence[Token], index: int) -> int:
    if follows(tokens, index) == "percent":
        return 1
    return 2 * (follows(tokens, index) == "per" and follows(tokens, index + 1) == "cent")


def _fraction(tokens: Sequence[Token], index: int) -> Amount | None:
    """ "point five": 0.5."""
    number = tokens[index + 1] if index + 1 < len(tokens) else None
    if at(tokens, index) != "point" or not isinstance(number, Numeral) or not number.joins:
        return None
    return None if number.whole is None else Amount(2, f"0.{number.text}")


def _measured(tokens: Sequence[Token], index: int) -> Match | None:
    """ "five kilometers": 5 kilometers. "minus five degrees": -5 degrees."""
    below = at(tokens, index) == "minus" and index + 1 < len(tokens)
    much = amount(tokens, index + below) or (_fraction(tokens, index) if not below else None)
    if much is None or (below and not tokens[index + 1].joins):
        return None
    unit = follows(tokens, index + below + much.length)
    if unit not in UNITS or (below and unit not in ("degree", "degrees")):
        return None
    text = f"-{much.text}" if below else much.text
    return Match(below + much.length, (written(text, tokens[index]),))


RULES = (_money, _shared_sign, _per_cent, _measured)
