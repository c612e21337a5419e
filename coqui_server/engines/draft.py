"""Decodes a growing utterance again, with what it was before as a draft.

A decoder that is given several tokens at once tells what follows each of them, for hardly more than
what one token costs. So the scores along the draft are known after one pass, and a search needs
further ones only from where it leaves the draft.
"""

from collections.abc import Callable, Sequence
from typing import Any

from coqui_server.engines.greedy import Scores, Step

Run = Callable[[Sequence[int], Any], tuple[Scores, Any]]
"""Takes tokens and the decoder's state before them, None at the start; gives a row of scores for
what follows each of them, and the state after them."""

Cut = Callable[[Any, int], Any]
"""Takes a state and a number of tokens; gives the state after the first so many."""


def drafted(run: Run, cut: Cut, draft: Sequence[int]) -> Step:
    """The steps of a search that is likely to write this draft after its first token."""
    ahead: list[tuple[Scores, Any]] = []

    def step(token: int, state: Any) -> tuple[Scores, Any]:
        """The state on the draft is the number of its tokens that were taken."""
        if state is None:
            ahead.append(run([token, *draft], None))
            return ahead[0][0][0], 0
        if isinstance(state, int):
            scores, whole = ahead[0]
            if state < len(draft) and token == draft[state]:
                return scores[state + 1], state + 1
            state = cut(whole, state + 1)
        scores, state = run([token], state)
        return scores[-1], state

    return step
