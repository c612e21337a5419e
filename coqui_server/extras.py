"""Packages that only some engines and databases need (`requirements-*.txt`, the extras)."""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from importlib.util import find_spec
from pathlib import Path

from coqui_server.exceptions import ConfigError

_PACKAGES = {
    "whisper": ("faster_whisper", "faster-whisper"),
    "openai": ("openai", "openai"),
    "deepgram": ("deepgram", "deepgram-sdk"),
    "postgresql": ("asyncpg", "asyncpg"),
    "cluster": ("redis", "redis"),
    "zeroconf": ("zeroconf", "zeroconf"),
    "celery": ("celery", "celery"),
    "s3": ("s3fs", "s3fs"),
}
"""The module and the package of each extra."""


def missing(extra: str) -> Iterator[ConfigError]:
    """The error for an extra whose package is not installed, if it is not."""
    module, package = _PACKAGES[extra]
    if find_spec(module) is None:
        yield ConfigError(extra, f"the package {package} is not installed", fix=command(package))


def command(package: str) -> str:
    """The command that installs a package, in the version that is tested."""
    return f"pip install {_pin(package)}"


def _pin(package: str) -> str:
    """`package==version`: from our own metadata, or from a clone that is not installed."""
    pins = (line.partition(";")[0].strip() for line in _requirements())
    return next((pin for pin in pins if pin.startswith(f"{package}==")), package)


def _requirements() -> Iterator[str]:
    try:
        yield from requires("coqui-server") or ()
    except PackageNotFoundError:
        for file in Path(__file__).resolve().parents[1].glob("requirements*.txt"):
            yield from file.read_text(encoding="utf-8").splitlines()
