"""Capitals at the beginning of sentences, in every script that has them."""

import re
from collections.abc import Sequence

from coqui_server.readable.tokens import Token, renamed, words

_STOP = re.compile(r"\.(?!\.)|[?!。？！۔؟]+(?=\s|$)")
"""A mark that ends a sentence, right after a word. An ellipsis may go on, and so may a question in
quotation marks."""

_SHORT = words(
    "mr mrs ms dr prof st sr jr vs etc nr approx dept est gov gen sen rep lt col sgt inc ltd "
    "corp co ca usw bzw z.b d.h"
)
"""Abbreviations that are written with a full stop inside sentences."""

_DOTTED = re.compile(r"[^\W\d_]{1,2}(\.[^\W\d_]{1,2})+")
"""Abbreviations such as p.m and U.S, without their last full stop."""

_DOTTED_I = ("tr", "az")
"""Languages whose capital of i is İ."""


def with_capitals(tokens: Sequence[Token], language: str | None, *, start: bool) -> list[Token]:
    """The tokens with a capital at the beginning of each sentence.

    Args:
        start: the first token begins a sentence.
    """
    result: list[Token] = []
    for token in tokens:
        begins = _ends(result[-1].text, token.before) if result else start
        result.append(_capital(token, language) if begins else token)
    return result


def ends_sentence(tokens: Sequence[Token], tail: str) -> bool:
    """Whether a text ends with its sentence."""
    return bool(tokens) and _ends(tokens[-1].text, tail)


def _ends(text: str, after: str) -> bool:
    """Whether a sentence ends between a token and the next one.

    Initials and abbreviations are taken for the middle of one.
    """
    if not _STOP.match(after):
        return False
    plain = text.lower()
    initial = len(text) == 1 and text.isalpha() and text not in ("I", "i")
    return not (after.startswith(".") and (initial or _DOTTED.fullmatch(plain) or plain in _SHORT))


def _capital(token: Token, language: str | None) -> Token:
    """A word with a capital, unless it has one already; addresses are left as they are."""
    if not token.word or token.text != token.text.lower():
        return token
    first = token.text[0]
    capital = "İ" if first == "i" and language in _DOTTED_I else first.title()
    return renamed(token, capital + token.text[1:]) if len(capital) == 1 else token
