"""Figures as they are spoken in English."""

import re
from collections.abc import Iterator

# fmt: off
_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
# fmt: on
_SCALES = ((1_000_000_000, "billion"), (1_000_000, "million"), (1000, "thousand"), (100, "hundred"))
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}

_LONGEST = 9
"""Figures. Longer numbers are read out one figure after the other, as those of telephones are."""

_GROUPED = re.compile(r"\d{1,3}(,\d{3}){1,3}$")
_DECIMAL = re.compile(r"(\d+)\.(\d+)$")
_ORDINAL = re.compile(r"(\d{1,9})(st|nd|rd|th)$")
_DECADE = re.compile(r"(\d*\d0)'?s$")


def spoken(figures: str) -> list[str]:
    """The words of a number in figures: "1,200", "3.5", "21st", "1990s", "2026", "007".

    Anything else is read figure by figure.
    """
    if _GROUPED.match(figures):
        return _cardinal(int(figures.replace(",", "")))
    if found := _DECIMAL.match(figures):
        return [*spoken(found[1]), "point", *_one_by_one(found[2])]
    if found := _ORDINAL.match(figures):
        return _ordinal(_cardinal(int(found[1])))
    if found := _DECADE.match(figures):
        return _plural(spoken(found[1]))
    if not figures.isdecimal() or figures[0] == "0" or len(figures) > _LONGEST:
        return _one_by_one(figures)
    return _year(int(figures)) or _cardinal(int(figures))


def _one_by_one(figures: str) -> list[str]:
    return [_ONES[int(figure)] for figure in figures if figure.isdecimal()]


def _year(number: int) -> list[str]:
    """A number that is read as a year, in two halves; empty for others."""
    first, last = divmod(number, 100)
    if not (1100 <= number < 2000 or 2010 <= number < 2100):
        return []
    if last == 0:
        return [*_cardinal(first), "hundred"]
    return [*_cardinal(first), *(["oh"] if last < 10 else []), *_cardinal(last)]


def _cardinal(number: int) -> list[str]:
    return list(_named(number)) if number else ["zero"]


def _named(number: int) -> Iterator[str]:
    for size, name in _SCALES:
        if number >= size:
            yield from _named(number // size)
            yield name
            number %= size
    if number >= 20:
        yield _TENS[number // 10 - 2]
        number %= 10
    if number:
        yield _ONES[number]


def _ordinal(words: list[str]) -> list[str]:
    last = words[-1]
    regular = f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th"
    return [*words[:-1], _ORDINALS.get(last, regular)]


def _plural(words: list[str]) -> list[str]:
    last = words[-1]
    return [*words[:-1], f"{last[:-1]}ies" if last.endswith("y") else f"{last}s"]
