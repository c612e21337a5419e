"""`coqui_server.readable` on words and signs in any order."""

import re
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from coqui_server.readable.numerals import LANGUAGES
from coqui_server.readable.tokens import joined, split
from coqui_server.readable.writer import Writer
from tests.readable.cases import ENGLISH, WORDS

fixed = settings(derandomize=True, max_examples=300, deadline=None)

_OTHERS = ("alpha", "beta", "gamma", "he", "said", "went", "home", "Anna")
"""Words of no rule."""

_KNOWN = sorted({word for case in ENGLISH for word in case.spoken.split()} | set(_OTHERS))

sentences = some.lists(
    some.tuples(some.sampled_from(_KNOWN), some.sampled_from((" ", " ", " ", ", ", ". ", "? "))),
    max_size=12,
).map(lambda pairs: "".join(word + gap for word, gap in pairs))


@fixed
@given(text=some.text(max_size=60), language=some.sampled_from([*LANGUAGES, "tr", "fa", None]))
def test_any_text_in_any_language(text: str, language: str | None) -> None:
    """Nothing is raised, also for text that is no language at all; spaces at both ends stay."""
    result = Writer(language).final(text)
    assert result.strip() or not text.strip()
    assert joined(*split(text)) == text


@fixed
@given(text=sentences)
def test_no_other_word_is_lost(text: str) -> None:
    """Words of no rule are all there, in their order."""

    def others(of: str) -> list[str]:
        return [word for word in re.findall(r"\w+", of.lower()) if word in _NAMES]

    assert others(_without_addresses(Writer("en").final(text))) == others(text)


_NAMES = {word.lower() for word in _OTHERS}


def _without_addresses(text: str) -> str:
    """The text with the parts of addresses as words."""
    return re.sub(r"[@./_-]", " ", text)


@fixed
@given(text=sentences)
def test_a_second_time_changes_nothing(text: str) -> None:
    """What was written is not taken for something else."""
    once = Writer("en").final(text)
    assert Writer("en").final(once) == once


@fixed
@given(words=some.lists(some.sampled_from(WORDS), min_size=1, max_size=4))
def test_phrases_that_stay_words_beside_others(words: list[str]) -> None:
    """Also when they are sentences of one text."""
    text = ". ".join(words)
    assert Writer("en").final(text).lower() == text.lower()


@pytest.mark.parametrize("word", ["one", "five", "double", "a", "dot", "million", "to", "twenty"])
def test_the_work_grows_with_the_length_and_no_faster(word: str) -> None:
    """Four times as many words, whatever they may begin, are four times as many calls."""
    few, many = (_calls(" ".join([word] * count)) for count in (100, 400))
    assert many < 5 * few


def _calls(text: str) -> int:
    """How many functions are called to write a text."""
    events: list[str] = []
    sys.setprofile(lambda frame, event, argument: events.append(event))
    try:
        Writer("en").final(text)
    finally:
        sys.setprofile(None)
    return len(events)


def test_a_long_text() -> None:
    """20 000 words do not reach the time limit."""
    assert Writer("en").final("one apple, " * 10_000)
