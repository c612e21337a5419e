"""`coqui_server.exports.direction`."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from coqui_server.exports.direction import right_to_left, runs
from tests.exports.made import KOREAN, MIXED, PERSIAN


@pytest.mark.parametrize(
    ("text", "rtl"),
    [
        (PERSIAN, True),
        (MIXED, True),
        ("iPhone من خراب است", True),
        ("من از Microsoft Visual Studio استفاده می‌کنم", True),
        ("She said سلام to me", False),
        ("سلام is hello", False),
        ("Hello سلام", False),
        ("سلام Hello", True),
        ("שלום עולם", True),
        (KOREAN, False),
        ("12:30 ... !", False),
        ("", False),
    ],
)
def test_direction_of_a_line(text: str, rtl: bool) -> None:
    """Most words decide, and between equals the first."""
    assert right_to_left(text) is rtl


def test_runs() -> None:
    """Spaces and digits go with what they stand between."""
    assert list(runs("قیمت Visual Studio 2024 چند است؟", True)) == [
        ("قیمت ", True),
        ("Visual Studio", False),
        (" 2024 چند است؟", True),
    ]
    assert list(runs("She said سلام دنیا!", False)) == [
        ("She said ", False),
        ("سلام دنیا", True),
        ("!", False),
    ]


@given(some.text("aب 1.؟-가", max_size=30), some.booleans())
def test_runs_lose_nothing(text: str, rtl: bool) -> None:
    """The runs are the text, and neighbours differ."""
    made = list(runs(text, rtl))
    assert "".join(piece for piece, _ in made) == text
    assert all(one[1] != two[1] for one, two in pairwise(made))
