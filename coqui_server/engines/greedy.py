"""Greedy search that can favour terms. It knows no model: a function gives it the scores.

A term is tried where its next token is likely enough, though not the best. It is kept if all of it
can be followed to its end and its word ends there, within a bound of improbability. If not, the
search goes on with the best token from where the attempt began, so a failed attempt leaves nothing
behind. The bound grows with the tokens of the term that agree.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from coqui_server.engines.terms import Node, Terms

Scores = npt.NDArray[np.float32]
"""For each token the logit of being the next."""

Step = Callable[[int, Any], tuple[Scores, Any]]
"""Takes a token and the decoder's state before it, None at the start; gives the scores of what
follows, and the state after it. A state stays valid, so that a search can go back to it."""

_FIRST, _EACH, _MOST = 3.0, 2.0, 9.0
"""The bound of a term, as the negative logarithm of the probability of all its tokens that were not
the best: for the first token, for each further one, and in all. `docs/tuning.md` has what others
gave."""


@dataclass
class Path:
    """Tokens, of each the negative logarithm of its probability, and what comes after them."""

    scores: Scores
    state: Any
    tokens: list[int] = field(default_factory=list)
    doubts: list[float] = field(default_factory=list)

    def take(self, token: int) -> None:
        """Write a token. `scores` and `state` stay those before it."""
        self.tokens.append(token)
        self.doubts.append(_doubt(self.scores, token))


def search(
    step: Step, start: int, end: int, most: int, terms: Terms | None
) -> tuple[list[int], list[float]]:
    """The tokens after `start`, and of each the negative logarithm of its probability.

    Args:
        most: tokens after which it gives up.
        terms: to be favoured; None for the best token everywhere.
    """
    path = Path(*step(start, None))
    within: list[Node] = []
    while True:
        best = int(path.scores.argmax())
        attempt = _favoured(step, path, best, within, terms) if terms and best != end else None
        if attempt:
            found, node = attempt
            path.tokens += found.tokens
            path.doubts += found.doubts
            path.scores, path.state, within = found.scores, found.state, [node]
        else:
            path.take(best)
            within = _following(within, best, terms) if terms else within
        if path.tokens[-1] == end or len(path.tokens) > most:
            return path.tokens, path.doubts
        if not attempt:
            path.scores, path.state = step(best, path.state)


def _following(within: list[Node], token: int, terms: Terms) -> list[Node]:
    """Where a token leads in all terms that may be under way."""
    nodes = (*within, terms.root)
    return [node.children[token] for node in nodes if token in node.children]


def _favoured(
    step: Step, path: Path, best: int, within: list[Node], terms: Terms
) -> tuple[Path, Node] | None:
    """The likeliest term that goes on otherwise than with the best token, if it can be followed.

    A term begins only where a word does.
    """
    scores = path.scores
    nodes = [*within, terms.root] if terms.vocabulary.begins[best] else within
    choices = [(_likeliest(node, scores), node) for node in nodes if node.children]
    if not choices:
        return None
    token, node = max(choices, key=lambda choice: float(scores[choice[0]]))
    # The difference of two logits is less than the whole doubt, and costs nothing.
    if token == best or scores[best] - scores[token] > _bound(node.depth + 1):
        return None
    return _attempt(step, path, node, token, terms)


def _attempt(
    step: Step, path: Path, node: Node, token: int, terms: Terms
) -> tuple[Path, Node] | None:
    """Follow a term to its end; None if it becomes too improbable or its word goes on."""
    attempt = Path(path.scores, path.state)
    while True:
        node = node.children[token]
        attempt.take(token)
        if sum(attempt.doubts) > _bound(node.depth):
            return None
        attempt.scores, attempt.state = step(token, attempt.state)
        if node.ends and not terms.vocabulary.continues[int(attempt.scores.argmax())]:
            return attempt, node
        if not node.children:
            return None
        token = _likeliest(node, attempt.scores)


def _bound(depth: int) -> float:
    return min(_FIRST + _EACH * (depth - 1), _MOST)


def _likeliest(node: Node, scores: Scores) -> int:
    return int(node.tokens[scores[node.tokens].argmax()])


def _doubt(scores: Scores, token: int) -> float:
    best = scores.max()
    return float(np.log(np.exp(scores - best).sum()) + (best - scores[token]))
