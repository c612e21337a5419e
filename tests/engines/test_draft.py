"""A draft changes how often the decoder is asked, and not what is found."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from coqui_server.engines.base import DEFAULT_OPTIONS, Engine, Hypothesis, Options
from coqui_server.engines.draft import drafted
from coqui_server.engines.greedy import Scores, search
from coqui_server.engines.terms import Terms, Vocabulary
from tests.support.clips import clip

TOKENS = [b"<s>", b"</s>", *map(str.encode, "abcde"), "▁".encode(), "▁A".encode()]
IDS = {token.decode(): id for id, token in enumerate(TOKENS)}


class Model:
    """Its best text is `says`, and after other tokens the end. Its state is the tokens so far.

    Attributes:
        asked: how many tokens it was given each time.
    """

    def __init__(self, says: str) -> None:
        self._says = [0, *(IDS[letter] for letter in says), 1]
        self.asked: list[int] = []

    def run(self, tokens: Sequence[int], state: tuple[int, ...] | None) -> tuple[Scores, Any]:
        self.asked.append(len(tokens))
        rows = []
        for token in tokens:
            state = (*(state or ()), token)
            row = np.full(len(TOKENS), -20.0, np.float32)
            row[IDS["▁A"]] = -1.0
            follows = state == tuple(self._says[: len(state)])
            row[self._says[len(state)] if follows else 1] = 0.0
            rows.append(row)
        return np.array(rows), state

    def hears(self, draft: str, *terms: str) -> str:
        """What a search with this draft finds."""
        tree = Terms(terms, Vocabulary(TOKENS)) if terms else None
        step = drafted(self.run, lambda state, count: state[:count], [IDS[one] for one in draft])
        tokens, doubts = search(step, 0, 1, 20, tree)
        assert doubts == pytest.approx([doubts[0]] * len(tokens))
        return "".join(TOKENS[token].decode() for token in tokens if token != 1)


@pytest.mark.parametrize(
    ("draft", "asked"),
    [
        ("", [1, 1, 1, 1, 1]),
        ("abcd", [5]),
        ("ab", [3, 1, 1]),
        ("abce", [5, 1]),
        ("e", [2, 1, 1, 1, 1]),
        ("abcde", [6]),
    ],
)
def test_only_what_the_draft_has_not_is_asked_for(draft: str, asked: list[int]) -> None:
    """All of the draft is one pass, and each token after the last right one is another."""
    model = Model("abcd")
    assert model.hears(draft) == "abcd"
    assert model.asked == asked


def test_an_attempt_at_a_term_leaves_the_draft() -> None:
    """It goes its own way from where it begins; then the search is back on the draft."""
    model = Model("▁ab")
    assert model.hears("▁ab", "Ae") == "▁ab"
    assert model.asked == [4, 1]


@pytest.mark.model
def test_a_growing_utterance(moonshine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words and the end mark are those without a draft, for a few passes of the decoder."""
    passes = 0
    native = moonshine._decoder  # type: ignore[attr-defined]

    class Counting:
        def run(self, *arguments: Any) -> Any:
            nonlocal passes
            passes += 1
            return native.run(*arguments)

    def heard(share: float, options: Options) -> tuple[Hypothesis, int]:
        nonlocal passes
        passes = 0
        recognizer = moonshine.open(options)
        recognizer.feed(pcm[: round(share * len(pcm))])
        return recognizer.finish(), passes

    monkeypatch.setattr(moonshine, "_decoder", Counting())
    pcm = clip("voicemail.wav").pcm
    whole, without = heard(1, DEFAULT_OPTIONS)
    before, _ = heard(0.9, DEFAULT_OPTIONS)
    again, with_draft = heard(1, Options(draft=before.tokens))
    assert again.text == whole.text
    assert again.tokens == whole.tokens
    assert again.finished == pytest.approx(whole.finished, abs=0.1)
    assert again.confidence == pytest.approx(whole.confidence, abs=0.05)
    assert with_draft < without / 2
