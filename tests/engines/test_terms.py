"""The tree of terms: how words are divided into tokens, and what is in it."""

import pytest

from coqui_server.engines.terms import Terms, Vocabulary

TOKENS = [*(letter.encode() for letter in "▁abcnr"), b"an", "▁b".encode(), b"na", "▁ban".encode()]
"""A vocabulary whose merges are an, ▁b, na and ▁ban, in this order."""


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Vocabulary(TOKENS)


def written(vocabulary: Vocabulary, text: str) -> list[str]:
    """The tokens of a text, as texts."""
    return [TOKENS[id].decode() for id in vocabulary.divide(text)]


def test_the_first_merge_in_the_list_comes_first(vocabulary: Vocabulary) -> None:
    """The tokens are those that the model learnt, not the longest ones."""
    assert written(vocabulary, "banana") == ["▁ban", "an", "a"]
    assert written(vocabulary, "ana ban") == ["▁", "an", "a", "▁ban"]


@pytest.mark.parametrize("text", ["", "bx", "ba xa", "a" * 41])
def test_what_the_model_cannot_write(vocabulary: Vocabulary, text: str) -> None:
    """A word with an unknown letter, and one longer than any name, have no tokens."""
    assert written(vocabulary, text) == []


def test_where_words_begin_and_go_on(vocabulary: Vocabulary) -> None:
    """A token begins a word, goes on with one, or is a mark."""
    marked = Vocabulary([*TOKENS, b".", "é".encode()])
    assert marked.begins[TOKENS.index("▁b".encode())]
    assert not marked.begins[TOKENS.index(b"an")]
    assert marked.continues[-1]
    assert not marked.continues[-2]
    assert not marked.continues[TOKENS.index("▁b".encode())]


def test_terms_share_what_they_begin_with(vocabulary: Vocabulary) -> None:
    """A term that is the beginning of another one ends inside of it."""
    terms = Terms(["ban", "bana"], vocabulary)
    (first,) = terms.root.children.values()
    assert (first.depth, first.ends, len(first.children)) == (1, True, 1)
    (second,) = first.children.values()
    assert (second.depth, second.ends, second.tokens.tolist()) == (2, True, [])


def test_a_capital_at_the_beginning_of_a_sentence() -> None:
    """A term is also known with a capital; nothing else about its letters is changed."""
    capital = Vocabulary([*TOKENS, "▁B".encode(), b"C"])
    small, large = TOKENS.index("▁ban".encode()), len(TOKENS)
    assert set(Terms(["ban"], capital).root.children) == {small, large}
    assert set(Terms(["Bac"], capital).root.children) == {large}
    assert not Terms(["BA"], capital).root.children
