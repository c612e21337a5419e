"""Imports go one way: no room imports a higher one, and no two modules import each other."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.support.clips import ROOT

FLOORS = [
    {"app"},
    {"banner", "ready"},
    {"daemon"},
    {"web"},
    {"sockets"},
    {"auth", "jobs", "protocols"},
    {"store", "rtp", "webhook", "exports"},
    {"transcription"},
    {"engines"},
    {"models", "speech", "readable", "speakers", "word_times", "cluster"},
    {"config"},
    {"media"},
    {"extras", "backoff", "logs", "networks", "onnx", "principal", "exceptions", "__init__"},
]
"""The rooms of `coqui_server`, from the top. Rooms of one floor may not import each other, except
those below."""

BESIDE = {("protocols", "rtp"), ("jobs", "store"), ("auth", "store"), ("extras", "exceptions")}
"""Imports within a floor, or that are not a matter of height, none of which is allowed back."""

PACKAGES = ("coqui_server", "coqui_client", "coqui_transcript")


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of ours by its dotted name."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).glob("**/*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


MODULES = dict(modules())


def imports(path: Path) -> set[str]:
    """The modules of ours that a file imports, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & MODULES.keys()
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (whole & MODULES.keys()) or ({node.module} & MODULES.keys())
    return found


GRAPH = {name: imports(path) for name, path in MODULES.items()}


def room(module: str) -> str:
    """The first part of a module's name inside `coqui_server`."""
    return [*module.split("."), "__init__"][1]


def floor(name: str) -> int:
    """How far down a room is."""
    return next(number for number, rooms in enumerate(FLOORS) if name in rooms)


def test_every_room_has_a_floor() -> None:
    """A new folder or file beside the rooms is put on a floor here."""
    there = {room(name) for name in GRAPH if name.startswith("coqui_server")}
    assert there == set().union(*FLOORS)


@pytest.mark.parametrize("module", sorted(name for name in GRAPH if "coqui_server" in name))
def test_no_room_imports_a_higher_one(module: str) -> None:
    """Nor one beside it."""
    for other in GRAPH[module]:
        if not other.startswith("coqui_server.") or room(other) == room(module):
            continue
        assert floor(room(other)) > floor(room(module)) or (room(module), room(other)) in BESIDE, (
            f"{module} imports {other}"
        )


def test_the_transcript_knows_nobody_and_the_client_not_the_server() -> None:
    """So that each can be installed and read by itself."""
    for module, others in GRAPH.items():
        packages = {other.split(".")[0] for other in others}
        if module.startswith("coqui_transcript"):
            assert packages <= {"coqui_transcript"}
        if module.startswith("coqui_client"):
            assert "coqui_server" not in packages
        if module.startswith("coqui_server"):
            assert "coqui_client" not in packages


def test_no_circle() -> None:
    """No chain of imports comes back to where it began."""
    TopologicalSorter(GRAPH).prepare()
