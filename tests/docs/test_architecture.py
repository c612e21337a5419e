"""The architecture page names rooms and files that there are, and the floors of the imports."""

import re

from tests.architecture.test_imports import FLOORS
from tests.support.clips import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_files_that_are_named_exist() -> None:
    """Each `room/file.py` on the page."""
    named = set(re.findall(r"`((?:\w+/)*\w+\.py)`", PAGE))
    assert len(named) > 20
    for name in named:
        assert any((ROOT / base / name).exists() for base in ("", "coqui_server")), name


def test_the_floors_are_those_that_the_imports_are_held_to() -> None:
    """In the same order."""
    block = PAGE.partition("## Imports go one way")[2].partition("```text\n")[2].partition("```")[0]
    floors = [set(line.split(", ")) for line in block.splitlines()]
    assert floors == [rooms - {"__init__"} for rooms in FLOORS]


def test_every_room_is_in_the_table() -> None:
    """A new folder says on the page what is in it."""
    for room in set().union(*FLOORS) - {"__init__"}:
        assert re.search(rf"^\|.*`{room}`", PAGE, re.M), room
