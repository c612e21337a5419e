"""Numbers of any language that text2num knows: those of ten and more in digits."""

from collections.abc import Sequence

from coqui_server.readable import numerals
from coqui_server.readable.numerals import Numeral
from coqui_server.readable.tokens import Token
from coqui_server.readable.tokens import written as _written

LEAST_IN_DIGITS = 10
"""Smaller numbers stay words, as books have them; they are often no numbers ("one of them")."""


def written(tokens: Sequence[Token], language: str) -> list[Token]:
    """The tokens with numbers in digits; `language` is one of `numerals.LANGUAGES`."""
    result: list[Token] = []
    for token in numerals.find(tokens, language, frozenset()):
        result.extend(_settled(token) if isinstance(token, Numeral) else (token,))
    return result


def _settled(number: Numeral) -> tuple[Token, ...]:
    if (number.value < LEAST_IN_DIGITS and number.text.isdecimal()) or number.ordinal:
        return number.spoken
    return (_written(number.text, number.spoken[0]),)
