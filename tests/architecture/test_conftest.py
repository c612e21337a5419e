"""A conftest has fixtures only: what tests import is in `tests.support`."""

import ast
from pathlib import Path

import pytest

from tests.support.clips import ROOT


def imported(path: Path) -> set[str]:
    """The parts of the names of all modules that a file imports, and the names it takes of them."""
    parts: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            parts |= {part for alias in node.names for part in alias.name.split(".")}
        elif isinstance(node, ast.ImportFrom):
            parts |= {*(node.module or "").split("."), *(alias.name for alias in node.names)}
    return parts


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=str(path.relative_to(ROOT)))
        for folder in ("tests", "tools", "benchmarks")
        for path in sorted((ROOT / folder).rglob("*.py"))
    ],
)
def test_nothing_is_imported_from_a_conftest(path: Path) -> None:
    """pytest finds the fixtures of a conftest by itself."""
    assert "conftest" not in imported(path)
