"""Letters that are said one by one: acronyms, spelled names, codes with digits."""

import re
from collections.abc import Iterator, Sequence

from coqui_server.readable.english.vocabulary import ACRONYMS, DIGITS, NUMBERED, SCALES
from coqui_server.readable.tokens import LONGEST, Match, Token, at, follows, written

_ACRONYM = 3
"""Letters of an acronym, at most; longer rows are spelled names, unless they are known."""


_LEAST_CODE = 5
"""Letters and digits of a mixed code, at least."""

_POSTCODE = re.compile(r"([A-Z]{1,2}\d[A-Z\d]?)(\d[A-Z]{2})")
"""A British postcode: outward and inward code (BS 7666)."""

_MIXED = {"phd": "PhD"}

_DIGITS = re.compile(r"\d{1,12}")


def _spelled(tokens: Sequence[Token], index: int) -> Match | None:
    """ "u s a": USA. "s m i t h": S-M-I-T-H. "b a 249": BA249. "m 25": M25."""
    letters = _run(tokens, index)
    if not letters:
        return None
    if letters[0] == "a" and letters[1:] in ACRONYMS:
        return None
    length = len(letters)
    if code := _code(tokens, index, letters):
        return code
    if length < 2 or not _worth(letters):
        return None
    plain = letters in ACRONYMS or length <= _ACRONYM
    text = _MIXED.get(letters, letters.upper()) if plain else "-".join(letters.upper())
    return Match(length, (written(text, tokens[index]),))


def _mixed(tokens: Sequence[Token], index: int) -> Match | None:
    """Letters and digits in any order: "s w one a two a a": SW1A 2AA."""
    signs = list(_signs(tokens, index))
    code = "".join(signs)
    digits = sum(map(str.isdecimal, code))
    if len(code) < _LEAST_CODE or not (code[0].isalpha() and code[-1].isalpha()):
        return None
    if digits < 2 or len(code) - digits < 2:
        return None
    shaped = _POSTCODE.fullmatch(code)
    text = shaped.expand(r"\1 \2") if shaped else code
    return Match(len(signs), (written(text, tokens[index]),))


def _signs(tokens: Sequence[Token], index: int) -> Iterator[str]:
    """The single letters and digits from an index on, in capitals."""
    for place in range(index, min(len(tokens), index + LONGEST)):
        token = tokens[place]
        sign = DIGITS.get(token.lower, token.text)
        letter = len(sign) == 1 and sign.isascii() and sign.isalpha()
        if not (letter or _DIGITS.fullmatch(sign)) or (place > index and not token.joins):
            return
        yield sign.upper()


def _run(tokens: Sequence[Token], index: int) -> str:
    """The single letters from an index on, with only spaces or hyphens between them."""
    letters = ""
    for place in range(index, min(len(tokens), index + LONGEST)):
        letter = at(tokens, place)
        if len(letter) != 1 or not letter.isascii() or (letters and not tokens[place].joins):
            break
        letters += letter
    return letters


def _worth(letters: str) -> bool:
    """Whether these letters are more than the words "a" and "i"."""
    if len(letters) == 2:
        return letters in ACRONYMS
    return any(letter not in "ai" for letter in letters)


def _code(tokens: Sequence[Token], index: int, letters: str) -> Match | None:
    """Letters and the digits after them, perhaps with letters after those."""
    place = index + len(letters)
    if place >= len(tokens) or not tokens[place].joins or tokens[place].word:
        return None
    digits = tokens[place].text
    if not _DIGITS.fullmatch(digits) or follows(tokens, place + 1) in SCALES:
        return None
    alone = len(letters) == 1
    if alone and (letters in "ai" or (len(digits) < 2 and at(tokens, index - 1) not in NUMBERED)):
        return None
    text = letters.upper() + digits
    return Match(len(letters) + 1, (written(text, tokens[index]),))


RULES = (_mixed, _spelled)
