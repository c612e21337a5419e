"""The tables of this folder: what is said, and how people write it."""

from pathlib import Path
from typing import NamedTuple

_HERE = Path(__file__).parent


class Case(NamedTuple):
    """One row of `english.tsv`: its kind, the words, and how people write them."""

    kind: str
    spoken: str
    written: str


ENGLISH = [
    Case(*line.split("\t"))
    for line in (_HERE / "english.tsv").read_text(encoding="utf-8").splitlines()
]
"""Cases of ours, most of them made with the rules; the last 62 before the rules had seen them."""

WORDS = (_HERE / "words.txt").read_text(encoding="utf-8").splitlines()
"""Phrases with words that look like numbers and are none, or that are written in words."""
