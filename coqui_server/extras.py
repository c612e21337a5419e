"""Packages that only some need, and that are installed with it (`requirements-*.txt`)."""

from collections.abc import Iterator
from importlib.util import find_spec

from coqui_server.exceptions import ConfigError

_PACKAGES = {
    "whisper": ("faster_whisper", "faster-whisper==1.2.1"),
    "openai": ("openai", "openai==3.54.0"),
    "deepgram": ("deepgram", "deepgram-sdk==7.17.0"),
    "postgresql": ("asyncpg", "asyncpg==0.32.0"),
}
"""What each is imported as, and the version that is installed."""


def command(engine: str) -> str:
    """What installs an engine's package."""
    return f"pip install {_PACKAGES[engine][1]}"


def missing(engine: str) -> Iterator[ConfigError]:
    """The error for an engine whose package is not installed, if it is not."""
    module, pinned = _PACKAGES[engine]
    if find_spec(module) is None:
        problem = f"the package {pinned.partition('==')[0]} is not installed"
        yield ConfigError(engine, problem, fix=command(engine))
