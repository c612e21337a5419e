"""`coqui_transcript.alignment`."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from coqui_transcript.alignment import stretches
from coqui_transcript.transcript import Word


def spoken(text: str) -> list[Word]:
    """Words of one second each."""
    return [Word(word, index, index + 1) for index, word in enumerate(text.split())]


@pytest.mark.parametrize(
    ("text", "words", "pieces"),
    [
        ("Hello, world.", "hello world", [("Hello", 0, 1), ("world", 1, 2)]),
        (
            "Call 555-1234 now.",
            "call five five five one two three four now",
            [("Call", 0, 1), ("555-1234", 1, 8), ("now.", 8, 9)],
        ),
        ("$25.50", "twenty five dollars and fifty cents", [("$25.50", 0, 6)]),
        (
            "Someone has 12.",
            "someone has twelve",
            [("Someone", 0, 1), ("has", 1, 2), ("12.", 2, 3)],
        ),
        ("At 1:30 one left", "at one thirty one left", None),
        ("今天很好", "今天 很好", [("今天", 0, 1), ("很好", 1, 2)]),
        ("text", "", []),
        ("", "word", []),
    ],
)
def test_words_and_what_is_written(
    text: str, words: str, pieces: list[tuple[str, int, int]] | None
) -> None:
    """Equal words have their own times; a number has those of all its words."""
    found = stretches(text, spoken(words))
    made = [(text[piece.first : piece.last], piece.start, piece.end) for piece in found]
    if pieces is None:
        assert made[0] == ("At", 0, 1)
        assert made[-1] == ("left", 4, 5)
    else:
        assert made == pieces


texts = some.text("ab 1.-'Éİ日", max_size=30)


@given(texts, some.lists(texts, max_size=8))
def test_pieces_are_apart_and_in_order(text: str, words: list[str]) -> None:
    """Whatever the words are; their times never go back."""
    found = stretches(text, [Word(word, index, index + 1) for index, word in enumerate(words)])
    for piece in found:
        assert 0 <= piece.first <= piece.last <= len(text)
        assert piece.start < piece.end
    for one, other in pairwise(found):
        assert one.last <= other.first
        assert one.end <= other.start
