"""Capitals of words that always have one in English."""

from collections.abc import Sequence

from coqui_server.readable.english.vocabulary import MODAL_MONTHS, MONTHS, WEEKDAYS
from coqui_server.readable.tokens import Match, Token, renamed

_NAMES = WEEKDAYS | (MONTHS - MODAL_MONTHS) | {"i", "i'm", "i've", "i'd", "i'll"}


def _name(tokens: Sequence[Token], index: int) -> Match | None:
    """The pronoun I, days of the week, months."""
    token = tokens[index]
    if token.lower.replace("’", "'") not in _NAMES or token.text[0].isupper():
        return None
    return Match(1, (renamed(token, token.text[0].upper() + token.text[1:]),))


RULES = (_name,)
