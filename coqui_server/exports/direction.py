"""Which way text runs, by the letters that have a direction (UAX #9, table 4)."""

import unicodedata
from collections import Counter
from collections.abc import Iterator
from itertools import groupby

_STRONG = {"L": False, "R": True, "AL": True}


def right_to_left(text: str) -> bool:
    """Whether most words run from right to left; if as many run each way, the first word decides.

    The first letter alone, which UAX #9 goes by, is wrong for a Persian sentence that begins with a
    Latin name; counting letters is wrong for one with long Latin names.
    """
    ways = (_way(word) for word in text.split())
    counted = Counter(way for way in ways if way is not None).most_common(1)
    return bool(counted) and counted[0][0]


def _way(text: str) -> bool | None:
    strong = (_STRONG.get(unicodedata.bidirectional(letter)) for letter in text)
    return next((way for way in strong if way is not None), None)


def runs(text: str, rtl: bool) -> Iterator[tuple[str, bool]]:
    """The text cut where its direction changes; each piece with whether it is right-to-left.

    What has no direction of its own (spaces, marks, digits) goes with its neighbours if both run
    one way, and else with the paragraph, which is `rtl` or not: rules N1 and N2.
    """
    ways = [_STRONG.get(unicodedata.bidirectional(letter)) for letter in text]
    resolved = [
        before if before == after else rtl
        for before, after in zip(
            _last(ways, rtl), reversed(list(_last(ways[::-1], rtl))), strict=True
        )
    ]
    for way, piece in groupby(zip(text, resolved, strict=True), key=lambda pair: pair[1]):
        yield "".join(letter for letter, _ in piece), way


def _last(ways: list[bool | None], way: bool) -> Iterator[bool]:
    """For each letter the last known direction up to it; before the first, the paragraph's."""
    for own in ways:
        way = way if own is None else own
        yield way
