"""How the words of a segment are found in its text."""

from typing import Any

import pytest

from coqui_server.store.tables import SegmentRow
from coqui_server.web.transcripts import Span, spans


def segment(text: str, *words: str, original: str | None = None) -> SegmentRow:
    """A segment whose words were said one a second."""
    timed: list[dict[str, Any]] = [
        {"word": word, "start": float(second), "end": second + 0.5}
        for second, word in enumerate(words)
    ]
    return SegmentRow(text=text, original=original, words=timed)


@pytest.mark.parametrize(
    ("text", "words", "found"),
    [
        ("Hello, you.", ("hello", "you"), ["Hello", "you"]),
        ("Hello, you.", (" Hello,", " you."), ["Hello,", "you."]),
        ("너에게 준다", ("너에게", "준다"), ["너에게", "준다"]),
        ("نوبت شما", ("نوبت", "شما"), ["نوبت", "شما"]),
        ("one 2 three", ("one", "two", "three"), ["one", "2", "three"]),
        ("the cat the dog", ("the", "cat", "the", "dog"), ["the", "cat", "the", "dog"]),
        ("İstanbul here", ("İstanbul", "here"), ["İstanbul", "here"]),
        ("no words", (), []),
        ("blank", ("", " "), []),
    ],
)
def test_words_are_found(text: str, words: tuple[str, ...], found: list[str]) -> None:
    """Whatever their case and marks; the text itself is never changed."""
    pieces = spans(segment(text, *words))
    assert "".join(piece.text for piece in pieces) == text
    assert [piece.text for piece in pieces if piece.start is not None] == found


def test_times_are_those_of_the_words() -> None:
    """Also after one that was not found."""
    assert spans(segment("one three", "one", "two", "three")) == [
        Span("one", 0.0, 0.5),
        Span(" "),
        Span("three", 2.0, 2.5),
    ]


def test_an_edited_text_has_no_times() -> None:
    """The words are those of what it was."""
    assert spans(segment("one", "one", original="two")) == [Span("one")]
