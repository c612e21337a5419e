"""Names and terms as a decoder writes them: the tree of their tokens."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

_SPACE = "▁"

_LONGEST = 40
"""Letters of a word. No name is longer, and the work grows with the square of it."""

_WORDS = 20_000
"""Words whose tokens are kept, so that the same lists need not be divided again."""


class Vocabulary:
    """The tokens of a model, and how it divides a text into them.

    They are those of a byte pair encoding whose merges are in the order of the tokens, and none of
    which has a space within, as those of the Llama models.

    Attributes:
        begins: for each token, whether a word begins with it.
        continues: for each token, whether it goes on with the word before it.
    """

    def __init__(self, tokens: Sequence[bytes]) -> None:
        self._ids: dict[bytes, int] = {}
        for id, token in enumerate(tokens):
            self._ids.setdefault(token, id)
        space = _SPACE.encode()
        self.begins = [token.startswith(space) for token in tokens]
        self.continues = [
            (token[:1].isalnum() or token[:1] > b"\x7f") and not begins
            for token, begins in zip(tokens, self.begins, strict=True)
        ]
        self._divide_word = lru_cache(_WORDS)(self._word)

    def divide(self, text: str) -> tuple[int, ...]:
        """The tokens of words that follow a space; none if the model could not write them."""
        words = [self._divide_word(word) for word in text.split()]
        return tuple(id for word in words for id in word) if all(words) else ()

    def _word(self, word: str) -> tuple[int, ...]:
        if len(word) > _LONGEST:
            return ()
        parts = [character.encode() for character in _SPACE + word]
        while merges := list(self._merges(parts)):
            _, place = min(merges)
            parts[place : place + 2] = [parts[place] + parts[place + 1]]
        known = all(part in self._ids for part in parts)
        return tuple(self._ids[part] for part in parts) if known else ()

    def _merges(self, parts: list[bytes]) -> Iterator[tuple[int, int]]:
        """Two neighbours that make a token, as the token and their place."""
        for place in range(len(parts) - 1):
            if (id := self._ids.get(parts[place] + parts[place + 1])) is not None:
                yield id, place


@dataclass(slots=True)
class Node:
    """A place in the tree.

    Attributes:
        depth: tokens from the root.
        ends: whether a term ends here.
        tokens: the keys of `children`.
    """

    depth: int = 0
    ends: bool = False
    children: dict[int, "Node"] = field(default_factory=dict)
    tokens: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))


class Terms:
    """The tree of all terms, each as it is given and with a capital."""

    def __init__(self, texts: Iterable[str], vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.root = Node()
        for text in texts:
            for variant in {text, text[:1].upper() + text[1:]}:
                self._add(vocabulary.divide(variant))
        _complete(self.root)

    def _add(self, tokens: tuple[int, ...]) -> None:
        node = self.root
        for token in tokens:
            node = node.children.setdefault(token, Node(node.depth + 1))
        node.ends = node is not self.root


def _complete(root: Node) -> None:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        node.tokens = np.array(list(node.children), np.int64)
        waiting += node.children.values()
