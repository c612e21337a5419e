"""Looks up words in the CMU Pronouncing Dictionary."""

import re

_FORM = rb"^%s(?:\(\d+\))? (.+)$"


class Dictionary:
    """The dictionary as one piece of text: 3.3 MB, where a table of its words would take 25 MB.

    Args:
        text: lines of a word, a space and its sounds; other ways to say a word follow as `word(2)`.
    """

    def __init__(self, text: bytes) -> None:
        self._text = b"\n" + text.replace(b"\r\n", b"\n")

    def sounds(self, word: str) -> list[str]:
        """The ways to say a word in small letters, the usual one first; empty if unknown."""
        said = word.encode("ascii")
        first = self._text.find(b"\n" + said + b" ")
        if first < 0:
            return []
        # The other ways are on the next lines.
        near = self._text[first + 1 : first + 1000]
        lines = re.compile(_FORM % re.escape(said), re.MULTILINE)
        return [found.decode("ascii").strip() for found in lines.findall(near.rpartition(b"\n")[0])]
