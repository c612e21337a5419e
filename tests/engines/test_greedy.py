"""Greedy search with terms, over scores that are written down."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from coqui_server.engines.greedy import Scores, search
from coqui_server.engines.terms import Terms, Vocabulary

TOKENS = [b"<s>", b"</s>", *map(str.encode, ["▁", "▁A", "n", "na", "e", "▁O", "x", "▁so", "▁Bo"])]
START, END = 0, 1
IDS = {token.decode(): id for id, token in enumerate(TOKENS)}


class Model:
    """Gives the likelihoods that are written down for the text so far; the end is next elsewhere.

    Attributes:
        asked: the texts that it was asked to go on with, in order.
    """

    def __init__(self, **likely: dict[str, float]) -> None:
        self._likely = {text.replace("_", "▁"): shares for text, shares in likely.items()}
        self.asked: list[str] = []

    def step(self, token: int, state: Any) -> tuple[Scores, Any]:
        """The state is the text."""
        text = (state or "") + (TOKENS[token].decode() if token != START else "")
        self.asked.append(text)
        scores = np.full(len(TOKENS), -20.0, np.float32)
        for following, share in self._likely.get(text or "start", {"</s>": 1.0}).items():
            scores[IDS[following]] = np.log(share)
        return scores, text

    def hears(self, terms: Sequence[str], most: int = 20) -> str:
        """What the search finds."""
        tree = Terms(terms, Vocabulary(TOKENS)) if terms else None
        tokens, doubts = search(self.step, START, END, most, tree)
        assert len(tokens) == len(doubts)
        return "".join(TOKENS[token].decode() for token in tokens if token != END)


def test_without_terms_the_best_tokens() -> None:
    """Each token is the best one, and the decoder is asked once for each."""
    model = Model(start={"▁so": 0.6, "▁A": 0.4}, _so={"▁O": 0.9})
    assert model.hears([]) == "▁so▁O"
    assert model.asked == ["", "▁so", "▁so▁O"]


def test_a_term_that_is_nearly_as_likely() -> None:
    """A term wins over a word that is somewhat likelier."""
    model = Model(start={"▁so": 0.8, "▁A": 0.2}, _A={"n": 0.7, "na": 0.3}, _An={"e": 0.9})
    assert model.hears(["Ane"]) == "▁Ane"


def test_a_term_that_is_not_said() -> None:
    """Silence and other words do not become terms: the bound holds for each token."""
    model = Model(start={"▁so": 0.97, "▁A": 0.03})
    assert model.hears(["Ane"]) == "▁so"
    assert model.asked == ["", "▁so"]
    assert Model().hears(["Ane"]) == ""


def test_an_attempt_that_breaks_off_leaves_nothing() -> None:
    """The search goes on from where the attempt began, as without terms."""
    model = Model(start={"▁so": 0.8, "▁A": 0.2}, _A={"x": 0.999, "n": 0.0001}, _so={"▁O": 0.9})
    assert model.hears(["Ane"]) == "▁so▁O"
    assert model.asked == ["", "▁A", "▁so", "▁so▁O"]


def test_a_term_is_found_again_after_a_mismatch() -> None:
    """After an attempt that failed, the next one may succeed."""
    model = Model(
        start={"▁so": 0.8, "▁A": 0.2},
        _A={"x": 1.0},
        _so={"▁so": 0.8, "▁A": 0.2},
        _so_A={"x": 0.6, "n": 0.4},
    )
    assert model.hears(["An"]) == "▁so▁An"


def test_a_word_that_goes_on_is_another_word() -> None:
    """A term is not the beginning of a longer word."""
    model = Model(start={"▁so": 0.8, "▁A": 0.2}, _A={"n": 1.0}, _An={"e": 0.9}, _so={"</s>": 1.0})
    assert model.hears(["An"]) == "▁so"


def test_the_beginning_that_was_heard_counts() -> None:
    """Where a term has begun by itself, its next token may be less likely than a first one."""
    said = {"_A": {"na": 0.98, "n": 0.02}, "_An": {"e": 0.9}}
    assert Model(start={"▁A": 1.0}, **said).hears(["Ane"]) == "▁Ane"
    assert Model(start={"▁so": 0.98, "▁A": 0.02}, **said).hears(["Ane"]) == "▁so"


def test_a_longer_term_goes_on_with_a_shorter_one() -> None:
    """A term is followed again after one that is its beginning."""
    model = Model(
        start={"▁so": 0.8, "▁A": 0.2}, _A={"n": 0.9}, _An={"▁so": 0.6, "▁O": 0.4}, _An_O={"x": 0.9}
    )
    assert model.hears(["An", "An Ox"]) == "▁An▁Ox"


def test_a_decoder_that_repeats_itself() -> None:
    """The search ends after the most tokens that there may be."""
    assert (
        Model(start={"▁so": 1.0}, _so={"▁so": 1.0}, _so_so={"▁so": 1.0}).hears([], 2) == "▁so▁so▁so"
    )
