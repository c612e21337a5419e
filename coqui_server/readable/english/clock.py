"""Times of day."""

from collections.abc import Sequence

from coqui_server.readable.english.amounts import Amount, next_whole, whole
from coqui_server.readable.english.vocabulary import (
    CLOCK_CUES,
    COUNTED,
    CURRENCIES,
    NUMBERED,
    STREETS,
    UNITS,
)
from coqui_server.readable.numerals import Numeral
from coqui_server.readable.tokens import Match, Token, at, follows, words, written

_TOLD = words("at it's its is by about nearly almost until till")
"""Words before "ten to five", where it is a time and no range."""

_NO_TIME = words("in of year")
"""Words before two numbers that are no time."""

_QUARTERS = (15, 30, 45)
"""Minutes that make a time of two numbers without any other sign."""


def _past_or_to(tokens: Sequence[Token], index: int) -> Match | None:
    """ "half past three", "ten to five": these stay words."""
    minutes = whole(tokens, index, 1, 29)
    named = at(tokens, index) in ("half", "quarter")
    word = follows(tokens, index + 1)
    if (minutes is None and not named) or word not in ("past", "to"):
        return None
    if next_whole(tokens, index + 2, 1, 12) is None:
        return None
    if word == "to" and not named and at(tokens, index - 1) not in _TOLD:
        return None
    if follows(tokens, index + 3) in UNITS | COUNTED:
        return None
    return Match(3, tuple(said for token in tokens[index : index + 3] for said in _said(token)))


def _said(token: Token) -> tuple[Token, ...]:
    return token.spoken if isinstance(token, Numeral) else (token,)


def _time(tokens: Sequence[Token], index: int) -> Match | None:
    """ "three thirty p m": 3:30 pm. "at seven oh five": at 7:05. "three o'clock"."""
    found = _hour_and_minutes(tokens, index)
    exact = found is not None
    if found is None:
        hour = whole(tokens, index, 1, 12)
        found = None if hour is None else Amount(1, str(hour))
    if found is None:
        return None
    place, first = index + found.length, written(found.text, tokens[index])
    if half := _half_of_day(tokens, place):
        return Match(found.length + half.length, (first, Token(half.text, " ", word=False)))
    if follows(tokens, place) == "o'clock" and not exact:
        return Match(2, (first, tokens[place]))
    if exact and _is_time(tokens, index, place):
        return Match(found.length, (first,))
    return None


def _hour_and_minutes(tokens: Sequence[Token], index: int) -> Amount | None:
    hour = whole(tokens, index, 0, 23)
    if hour is None:
        return None
    minutes = next_whole(tokens, index + 1, 10, 59)
    if minutes is not None:
        return Amount(2, f"{hour}:{minutes}")
    unit = next_whole(tokens, index + 2, 1, 9)
    if unit is None or follows(tokens, index + 1) not in ("oh", "o"):
        return None
    return Amount(3, f"{hour}:0{unit}")


def _half_of_day(tokens: Sequence[Token], index: int) -> Amount | None:
    """ "pm", "p m" or "p.m", as it is written."""
    if index >= len(tokens) or not tokens[index].joins:
        return None
    word = tokens[index].text.lower()
    if word in ("a.m", "p.m") or (word in ("am", "pm") and at(tokens, index + 1) != "i"):
        return Amount(1, word)
    if word in ("a", "p") and follows(tokens, index + 1) == "m":
        return Amount(2, f"{word}m")
    return None


def _is_time(tokens: Sequence[Token], index: int, place: int) -> bool:
    """Whether the two numbers before `place` are a time, by what is around them."""
    before, after = at(tokens, index - 1), follows(tokens, place)
    if after in UNITS | COUNTED or after in CURRENCIES or before in NUMBERED:
        return False
    if follows(tokens, place + 1) in STREETS or follows(tokens, place + 2) in STREETS:
        return False
    early = whole(tokens, index, 1, 12) is not None
    if before in CLOCK_CUES or before in ("it's", "it’s"):
        return early or before == "at"
    if before == "is" and at(tokens, index - 2) == "it":
        return early
    return (
        early
        and before not in _NO_TIME
        and place == index + 2
        and whole(tokens, index + 1) in _QUARTERS
    )


RULES = (_past_or_to, _time)
