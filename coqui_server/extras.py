"""Packages that only some engines and databases need (`requirements-*.txt`, the extras)."""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from importlib.util import find_spec
from pathlib import Path

from coqui_server.exceptions import ConfigError

_MODULES = {
    "whisper": "faster_whisper",
    "openai": "openai",
    "deepgram": "deepgram",
    "postgresql": "asyncpg",
}
"""The module that each extra's package is imported as."""


def command(extra: str) -> str:
    """The command that installs the package of an extra, in the version that is tested."""
    return f"pip install {_pin(extra)}"


def missing(extra: str) -> Iterator[ConfigError]:
    """The error for an extra whose package is not installed, if it is not."""
    if find_spec(_MODULES[extra]) is None:
        name = _pin(extra).partition("==")[0]
        yield ConfigError(extra, f"the package {name} is not installed", fix=command(extra))


def _pin(extra: str) -> str:
    """`package==version`: from our own metadata, or beside a clone that is not installed."""
    try:
        wanted = f'extra == "{extra}"'
        pins = [line.partition(";")[0] for line in requires("coqui-server") or () if wanted in line]
    except PackageNotFoundError:
        pins = []
    if pins:
        return pins[0].strip()
    file = Path(__file__).resolve().parents[1] / f"requirements-{extra}.txt"
    return file.read_text(encoding="utf-8").strip()
