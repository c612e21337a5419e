"""Addresses of mail and of the web."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from coqui_server.readable.english.digits import piece
from coqui_server.readable.english.vocabulary import NO_NAMES, SYMBOLS, TOP_DOMAINS
from coqui_server.readable.tokens import Match, Token, at, follows, words, written

_DOMAIN = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.([a-z]{2,})", re.ASCII | re.IGNORECASE)

_LONGEST = 12
"""Words of one part of an address, at most; parts, at most."""

_INITIALS = 3
"""Letters before a name in an address, at most."""

_BEFORE_MAILBOX = frozenset(("",)) | words(
    "to is email mail e-mail address at contact it's that's write or and"
)
_NO_HOST = words("the a an of this that these and or my your our their first every")


class _Part(NamedTuple):
    """Some words as a part of an address.

    Attributes:
        plain: it is a word as any other.
    """

    length: int
    text: str
    plain: bool = False


def likely(tokens: Sequence[Token]) -> bool:
    """Whether there may be an address, so that most texts are not searched for one."""
    return any(token.lower == "dot" or _DOMAIN.fullmatch(token.text) for token in tokens)


def _mail(tokens: Sequence[Token], index: int) -> Match | None:
    """ "john dot smith at example dot com": john.smith@example.com."""
    mailbox = _parts(tokens, index, SYMBOLS)
    if mailbox is None or follows(tokens, index + mailbox.length) != "at":
        return None
    if mailbox.plain and (mailbox.text in NO_NAMES or at(tokens, index - 1) not in _BEFORE_MAILBOX):
        return None
    host = _host(tokens, index + mailbox.length + 1)
    if host is None:
        return None
    text = f"{mailbox.text}@{host.text}"
    return Match(mailbox.length + 1 + host.length, (written(text, tokens[index]),))


def _web(tokens: Sequence[Token], index: int) -> Match | None:
    """ "www dot example dot com slash help": www.example.com/help."""
    host = _host(tokens, index) if tokens[index].word else None
    if host is None or at(tokens, index) in _NO_HOST:
        return None
    length, text = host.length, host.text
    while follows(tokens, index + length) == "slash" and length < 2 * _LONGEST:
        part = _parts(tokens, index + length + 1, SYMBOLS)
        if part is None or not tokens[index + length + 1].joins:
            break
        length, text = length + 1 + part.length, f"{text}/{part.text}"
    return Match(length, (written(text, tokens[index]),))


def _numeric(tokens: Sequence[Token], index: int) -> Match | None:
    """ "one nine two dot one six eight dot one dot one": 192.168.1.1."""
    found = _parts(tokens, index, {"dot": "."})
    if found is None or found.text.count(".") < 2 or not found.text.replace(".", "").isdecimal():
        return None
    return Match(found.length, (written(found.text, tokens[index]),))


def _host(tokens: Sequence[Token], index: int) -> _Part | None:
    """A domain name with a known ending, in words or as an engine has written it."""
    if index >= len(tokens) or (index and not tokens[index].joins and not tokens[index].word):
        return None
    token = tokens[index]
    if not token.word and (known := _DOMAIN.fullmatch(token.text)):
        return _Part(1, token.text) if known.group(1).lower() in TOP_DOMAINS else None
    marks = {word: SYMBOLS[word] for word in ("dot", "dash", "hyphen")}
    found = _parts(tokens, index, marks)
    if found is None or "." not in found.text:
        return None
    return found if found.text.rpartition(".")[2] in TOP_DOMAINS else None


def _parts(tokens: Sequence[Token], index: int, marks: dict[str, str]) -> _Part | None:
    """Parts with marks between them, all in small letters."""
    first = _part(tokens, index)
    if first is None:
        return None
    length, text, plain = first
    for _ in range(_LONGEST):
        mark = marks.get(follows(tokens, index + length), "")
        joined = mark and index + length + 1 < len(tokens) and tokens[index + length + 1].joins
        part = _part(tokens, index + length + 1) if joined else None
        if part is None:
            break
        length, text, plain = length + 1 + part.length, text + mark + part.text, False
    return _Part(length, text, plain)


def _part(tokens: Sequence[Token], index: int) -> _Part | None:
    """Single letters, then perhaps a word, then perhaps digits."""
    place, text, plain = index, "", True
    while place < min(len(tokens), index + _LONGEST) and _fits(tokens, index, place):
        word, digits = at(tokens, place), piece(tokens, place)
        if digits and word != "o" and (word != "oh" or text) and text not in TOP_DOMAINS:
            place, text, plain = place + digits.length, text + digits.digits, False
        elif len(word) == 1 and word.isascii() and not (plain and text):
            place, text, plain = place + 1, text + word, False
        elif (
            word
            and word not in SYMBOLS
            and word.isascii()
            and word.isalpha()
            and _opens(text, plain)
        ):
            place, text, plain = place + 1, text + word, plain and not text
        else:
            break
    return _Part(place - index, text, plain) if text else None


def _fits(tokens: Sequence[Token], index: int, place: int) -> bool:
    return place == index or (tokens[place].joins and at(tokens, place) not in ("at", "slash"))


def _opens(text: str, plain: bool) -> bool:
    """Whether a word may come after this: after initials, or first of all."""
    initials = not plain and text.isalpha() and len(text) <= _INITIALS
    return not text or (initials and text not in ("a", "i"))


RULES = (_mail, _web, _numeric)
