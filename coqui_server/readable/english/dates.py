"""Dates and years."""

import re
from collections.abc import Sequence

from coqui_server.readable.english.amounts import Amount, next_whole, whole
from coqui_server.readable.english.vocabulary import MODAL_MONTHS, MONTHS, YEAR_CUES
from coqui_server.readable.numerals import Numeral
from coqui_server.readable.tokens import Match, Token, at, follows, renamed, words, written

_DECADES = {
    "tens": "10s",
    "twenties": "20s",
    "thirties": "30s",
    "forties": "40s",
    "fifties": "50s",
    "sixties": "60s",
    "seventies": "70s",
    "eighties": "80s",
    "nineties": "90s",
}

_WRITTEN_DAY = re.compile(r"\d{1,2}(st|nd|rd|th)")

_DAY_CUES = words("on since by until from before after is was to dated due")
"""Words before a date, where "may" and "march" are months."""


def year(tokens: Sequence[Token], index: int) -> Amount | None:
    """The year at an index: "nineteen eighty four", "nineteen oh five", "two thousand and five"."""
    century = whole(tokens, index, 10, 20)
    if century is None:
        alone = whole(tokens, index, 1100, 2099)
        return None if alone is None else Amount(1, str(alone))
    rest = next_whole(tokens, index + 1, 10, 99)
    if rest is not None:
        return Amount(2, f"{century}{rest}")
    if follows(tokens, index + 1) in ("oh", "o"):
        unit = next_whole(tokens, index + 2, 1, 9)
        return None if unit is None else Amount(3, f"{century}0{unit}")
    return None


def _month_first(tokens: Sequence[Token], index: int) -> Match | None:
    """ "may twenty first nineteen eighty four": May 21st, 1984."""
    if at(tokens, index) not in MONTHS or _has_day(tokens, index):
        return None
    place = index + 1 + (follows(tokens, index + 1) == "the")
    if place >= len(tokens) or not tokens[place].joins:
        return None
    month, day = _capital(tokens[index]), _day(tokens, place)
    after = _year_after(tokens, place + 1) if day else None
    only_year = year(tokens, place)
    if only_year and place == index + 1 and not (after and whole(tokens, place)):
        return Match(1 + only_year.length, (month, written(only_year.text, tokens[place])))
    if day is None or not (after or _surely_month(tokens, index, place)):
        return None
    between = tokens[index + 1 : place]
    result = (month, *between, written(day, tokens[place]))
    if after is None:
        return Match(len(result), result)
    comma = tokens[place + 1].before if "," in tokens[place + 1].before else ", "
    return Match(len(result) + after.length, (*result, Token(after.text, comma, word=False)))


def _day_first(tokens: Sequence[Token], index: int) -> Match | None:
    """ "the twenty first of may nineteen eighty four": 21st of May 1984."""
    day, of = _day(tokens, index), follows(tokens, index + 1) == "of"
    place = index + 1 + of
    if day is None or follows(tokens, place) not in MONTHS:
        return None
    after = _year_after(tokens, place + 1)
    modal = at(tokens, place) in MODAL_MONTHS
    if whole(tokens, index) and not after:
        return None
    if modal and not (of or after or int(day[:-2]) >= 10):
        return None
    result = (written(day, tokens[index]), *tokens[index + 1 : place], _capital(tokens[place]))
    if after is None:
        return Match(len(result), result)
    return Match(len(result) + after.length, (*result, written(after.text, tokens[place + 1])))


def _decade(tokens: Sequence[Token], index: int) -> Match | None:
    """ "nineteen eighties": 1980s."""
    ending, century = _DECADES.get(follows(tokens, index + 1)), whole(tokens, index, 11, 20)
    if ending is None or century is None:
        return None
    return Match(2, (written(f"{century}{ending}", tokens[index]),))


def _year_alone(tokens: Sequence[Token], index: int) -> Match | None:
    """A year after "in", "since", "of" and the like; those since 2000 are said as numbers."""
    cue = at(tokens, index - 1)
    if cue == "to" or cue == "and":
        cue = "until" if year(tokens, index - 2) or year(tokens, index - 3) else cue
    found = year(tokens, index)
    if found is None or cue not in YEAR_CUES:
        return None
    return Match(found.length, (written(found.text, tokens[index]),))


def _day(tokens: Sequence[Token], index: int) -> str | None:
    """The day of a month: 21st or 21."""
    token = tokens[index]
    if isinstance(token, Numeral) and token.ordinal and 1 <= token.value <= 31:
        return token.text if len(token.text) < 5 else None
    day = whole(tokens, index, 1, 31)
    return None if day is None else str(day)


def _year_after(tokens: Sequence[Token], index: int) -> Amount | None:
    """The year after a day, perhaps after a comma."""
    if index >= len(tokens) or tokens[index].before.strip() not in ("", ","):
        return None
    return year(tokens, index)


def _has_day(tokens: Sequence[Token], index: int) -> bool:
    """Whether the day is before the month already: "3rd June"."""
    place = index - 2 if at(tokens, index - 1) == "of" else index - 1
    return place >= 0 and bool(_WRITTEN_DAY.fullmatch(tokens[place].text))


def _surely_month(tokens: Sequence[Token], index: int, place: int) -> bool:
    """Whether "may" and "march" are no verbs here."""
    if at(tokens, index) not in MODAL_MONTHS or at(tokens, index - 1) in _DAY_CUES:
        return True
    day = tokens[place]
    return isinstance(day, Numeral) and day.ordinal and (day.value >= 10 or place > index + 1)


def _capital(token: Token) -> Token:
    return renamed(token, token.text[0].upper() + token.text[1:])


RULES = (_month_first, _day_first, _decade)

YEARS = (_year_alone,)
"""After times of day: "by eleven fifty nine"."""
