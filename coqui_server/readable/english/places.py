"""Numbers of things and houses: rooms, flights, streets."""

from collections.abc import Sequence

from coqui_server.readable.english.amounts import Amount, whole
from coqui_server.readable.english.vocabulary import NUMBERED, STREETS
from coqui_server.readable.numerals import Numeral
from coqui_server.readable.tokens import Match, Token, at, follows, renamed, words, written

_BEFORE_HOUSE = frozenset(("",)) | words("at is on to near live lives from address and")
_NO_STREET = words(
    "the a an of on in at to for from with and or but by is are was were people cars more way "
    "this that my your our their his her down up left right"
)
_LONGEST = 4
"""Numerals that are one number of a room or a house, at most."""


def _row(tokens: Sequence[Token], index: int) -> Amount | None:
    """Numbers one after the other, as those of rooms are said: "four twelve", "twelve oh five"."""
    place, digits = index, ""
    while place < min(len(tokens), index + _LONGEST):
        if place > index and not tokens[place].joins:
            break
        value = whole(tokens, place, 0, 99)
        if value is None and not (place > index and at(tokens, place) in ("oh", "o")):
            break
        digits += "0" if value is None else str(value)
        place += 1
    return Amount(place - index, digits) if place > index else None


def _numbered(tokens: Sequence[Token], index: int) -> Match | None:
    """ "room four twelve": room 412."""
    before, found = at(tokens, index - 1), _row(tokens, index)
    if found is None or not tokens[index].joins:
        return None
    if before not in NUMBERED and (before != "number" or found.length == 1):
        return None
    length, text = found.length, found.text
    letter = follows(tokens, index + length)
    if len(letter) == 1 and (letter not in "ai" or not follows(tokens, index + length + 1)):
        length, text = length + 1, text + letter.upper()
    return Match(length, (written(text, tokens[index]),))


def _house(tokens: Sequence[Token], index: int) -> Match | None:
    """ "twelve thirty four oak street": 1234 Oak Street."""
    if at(tokens, index - 1) not in _BEFORE_HOUSE:
        return None
    number = _row(tokens, index) or _large(tokens, index)
    if number is None:
        return None
    place, text = index + number.length, number.text
    if len(letter := follows(tokens, place)) == 1 and letter not in "ai":
        place, text = place + 1, text + letter.upper()
    for names in (1, 2):
        street = _street(tokens, place, names)
        if street:
            length = place + names + 1 - index
            return Match(length, (written(text, tokens[index]), *street))
    return None


def _large(tokens: Sequence[Token], index: int) -> Amount | None:
    value = whole(tokens, index, 100, 99_999)
    return None if value is None else Amount(1, str(value))


def _street(tokens: Sequence[Token], index: int, names: int) -> tuple[Token, ...]:
    """The name of a street with capitals; empty if there is none."""
    said = [follows(tokens, index + ahead) for ahead in range(names)]
    if follows(tokens, index + names) not in STREETS:
        return ()
    if any(not word or word in _NO_STREET or word[-2:] in ("es", "rs", "ps") for word in said):
        return ()
    return tuple(_capital(token) for token in tokens[index : index + names + 1])


def _numbered_street(tokens: Sequence[Token], index: int) -> Match | None:
    """ "forty second street": 42nd Street. "fifth avenue": Fifth Avenue."""
    number = tokens[index]
    if not isinstance(number, Numeral) or not number.ordinal or at(tokens, index - 1) == "the":
        return None
    if follows(tokens, index + 1) not in ("street", "avenue"):
        return None
    street = _capital(tokens[index + 1])
    if number.value < 10:
        return Match(2, (_capital(number.spoken[0]), street))
    return Match(2, (written(number.text, number), street))


def _capital(token: Token) -> Token:
    return renamed(token, token.text[:1].upper() + token.text[1:])


RULES = (_house, _numbered_street, _numbered)
