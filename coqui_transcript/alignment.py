"""Which words were spoken for which piece of a text, where the text is written otherwise.

"Call five five five" may be written "Call 555": then all three words are spoken for "555".
"""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from coqui_transcript.transcript import Word

_CHUNK = re.compile(r"\S+")
_EDGES = re.compile(r"^\W+|\W+$")


class Stretch(NamedTuple):
    """A piece of a text, from one index to another, and its times in seconds."""

    first: int
    last: int
    start: float
    end: float


def stretches(text: str, words: Sequence[Word]) -> list[Stretch]:
    """The pieces of a text that words were spoken for, in order and apart from each other.

    Each word has its own piece if all are in the text, which need not have spaces. Otherwise words
    and text are compared word by word, and what lies between equal ones belongs together.
    """
    words = [word for word in words if word.text.strip()]
    return _found(text, words) or list(_compared(text, words))


def _found(text: str, words: Sequence[Word]) -> list[Stretch]:
    """The place of each word; empty if one is not in the text, or another one is left out."""
    found: list[Stretch] = []
    # İ has two letters as a small one, so that the places would not be the same.
    same = len(text.lower()) == len(text)
    lower, place = text.lower() if same else text, 0
    for word in words:
        said = word.text.strip()
        first = lower.find(said.lower() if same else said, place)
        if first < 0 or any(map(str.isalnum, text[place:first]) if found else ()):
            return []
        place = first + len(said)
        found.append(Stretch(first, place, word.start, word.end))
    return found


def _compared(text: str, words: Sequence[Word]) -> Iterator[Stretch]:
    chunks = [chunk.span() for chunk in _CHUNK.finditer(text)]
    written = [_plain(text[first:last]) for first, last in chunks]
    said = [_plain(word.text) for word in words]
    matcher = SequenceMatcher(None, written, said, autojunk=False)
    for kind, first, last, start, end in matcher.get_opcodes():
        pairs = zip(range(first, last), range(start, end), strict=False)
        if kind == "equal":
            for chunk, word in pairs:
                yield Stretch(*chunks[chunk], words[word].start, words[word].end)
        elif kind == "replace":
            times = words[start].start, words[end - 1].end
            yield Stretch(chunks[first][0], chunks[last - 1][1], *times)


def _plain(text: str) -> str:
    return _EDGES.sub("", text).lower()
