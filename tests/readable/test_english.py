"""`coqui_server.readable` on English: the tables, and what must stay words."""

import sys

import pytest

from coqui_server.readable.writer import Writer
from tests.readable.cases import ENGLISH, WORDS, Case
from tests.support.clips import ROOT

FLOOR = 0.95
"""Share of the table that is right, at least."""


def written(text: str) -> str:
    """The first text of an English session."""
    return Writer("en").final(text)


def test_share_of_the_table_that_is_right() -> None:
    """The share that `docs/readable.md` gives; what is wrong is printed."""
    failed = [case for case in ENGLISH if written(case.spoken) != case.written]
    share = 1 - len(failed) / len(ENGLISH)
    lines = [f"{case.kind}: {written(case.spoken)!r}, not {case.written!r}" for case in failed]
    sys.stdout.write("\n".join([*lines, f"{share:.1%} of {len(ENGLISH)} right", ""]))
    assert share >= FLOOR
    page = (ROOT / "docs" / "readable.md").read_text(encoding="utf-8")
    assert f"Of the {len(ENGLISH)} cases" in page
    assert f"{len(ENGLISH) - len(failed)} are right" in page


def test_the_table_is_long_enough() -> None:
    """Cases of ours, none of them twice."""
    spoken = [case.spoken for case in ENGLISH]
    assert len(ENGLISH) >= 150
    assert len(set(spoken)) == len(spoken)


@pytest.mark.parametrize("words", WORDS)
def test_words_that_stay_words(words: str) -> None:
    """Only capitals may change."""
    assert written(words).lower() == words.lower()


@pytest.mark.parametrize("case", ENGLISH, ids=lambda case: case.spoken)
def test_what_is_written_stays(case: Case) -> None:
    """A text that was made readable is not changed by a second time."""
    once = written(case.spoken)
    assert written(once) == once


@pytest.mark.parametrize(
    "text",
    [
        "On Jan. 3rd, 1984 we paid $25.50 (5%) at 3:30 p.m.",
        "Call +44 20 7946 0958 or 555-1234, ext. 12.",
        "  Two   spaces,\ttabs\nand lines  ",
        "4111 1111 1111 1111",
        "It's 20 °C - or -5 — and so on...",
        "John.Smith@example.com; https://example.com/a-b?c=1",
        "",
        " ",
        "...",
    ],
)
def test_text_that_is_written_already(text: str) -> None:
    """Digits, signs and spaces of the engine are left as they are."""
    assert written(text) == text
