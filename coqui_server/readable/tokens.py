"""A text as tokens and back, and rules that rewrite some of them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

_CHUNK = re.compile(r"\S+")
_CORE = re.compile(
    r"(\W*?)((?:(?:[$€£¥+-]{1,2}(?=\d)|(?=\w))\w*(?:.*[\w%])?)?)([^\w%]*)", re.DOTALL
)
"""What stands before a word, the word, what stands after it. Signs belong to a number: -$5, 20%."""

_LETTERS = r"[^\W\d_]+(?:['’][^\W\d_]+)*"
_WORDS = re.compile(rf"{_LETTERS}(?:-{_LETTERS})*")

LONGEST = 40
"""The most tokens that one rule looks at, so that the time grows with the text and no faster."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word, or a piece of text that is left as it is.

    Attributes:
        before: what stands between it and the token before it: spaces and punctuation.
        word: letters only, perhaps with an apostrophe. Rules rewrite words alone.
    """

    text: str
    before: str
    word: bool = True

    @property
    def lower(self) -> str:
        """A word in small letters; "" for what is not a word."""
        return self.text.lower() if self.word else ""

    @property
    def joins(self) -> bool:
        """Whether only a space or a hyphen is before it, so that both may be one number."""
        return self.before == "-" or self.before.isspace()


class Match(NamedTuple):
    """A rule's result: what it puts in the place of so many tokens."""

    length: int
    tokens: tuple[Token, ...]


Rule = Callable[[Sequence[Token], int], Match | None]
"""Looks at the tokens from an index on, at `LONGEST` at most, and at some before it."""


def listed(text: str) -> tuple[str, ...]:
    """The words of a text, for tables."""
    return tuple(text.split())


def words(text: str) -> frozenset[str]:
    """The set of the words of a text."""
    return frozenset(text.split())


def split(text: str) -> tuple[list[Token], str]:
    """The tokens of a text, and what comes after the last one. `joined` gives the text again."""
    tokens: list[Token] = []
    place = 0
    for chunk in _CHUNK.finditer(text):
        parts = _CORE.fullmatch(chunk.group())
        assert parts is not None
        core = parts.group(2)
        if not core:
            continue
        start = chunk.start() + parts.start(2)
        pieces = core.split("-") if _WORDS.fullmatch(core) else [core]
        word = len(pieces) > 1 or bool(_WORDS.fullmatch(core))
        tokens.append(Token(pieces[0], text[place:start], word))
        tokens.extend(Token(piece, "-", word) for piece in pieces[1:])
        place = start + len(core)
    return tokens, text[place:]


def joined(tokens: Sequence[Token], tail: str) -> str:
    """The text of tokens and what comes after them."""
    return "".join([*(token.before + token.text for token in tokens), tail])


def rewritten(tokens: Sequence[Token], rules: Sequence[Rule]) -> list[Token]:
    """The tokens after the first rule that matches at each place. Rules see what came in."""
    result: list[Token] = []
    index = 0
    while index < len(tokens):
        match = next((found for rule in rules if (found := rule(tokens, index))), None)
        result.extend(match.tokens if match else tokens[index : index + 1])
        index += match.length if match else 1
    return result


def written(text: str, first: Token) -> Token:
    """A result in the place of tokens of which this is the first."""
    return Token(text, first.before, word=False)


def renamed(token: Token, text: str) -> Token:
    """The same word written otherwise."""
    return replace(token, text=text)


def at(tokens: Sequence[Token], index: int) -> str:
    """The word at an index in small letters; "" if there is none."""
    return tokens[index].lower if 0 <= index < len(tokens) else ""


def follows(tokens: Sequence[Token], index: int) -> str:
    """As `at`, but "" if there is punctuation before the word."""
    return at(tokens, index) if index < len(tokens) and tokens[index].joins else ""
