"""Where the files of a store are: uploads and recordings that are complete, by their names."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

from coqui_server.exceptions import ConfigError
from coqui_server.store.database import faults

_STALE = 24 * 3600
"""Seconds. Longer than any call is on hold, and the clocks of machines differ."""


class Files(Protocol):
    """A place for files, the same for all servers and workers of a store.

    All methods raise `StoreError` if it cannot be reached or is full.
    """

    async def put(self, source: Path, name: str) -> None:
        """Move a file of this machine there."""

    def local(self, name: str) -> AbstractAsyncContextManager[Path]:
        """A file on this machine, while the block lasts."""

    async def size(self, name: str) -> int:
        """Bytes of a file; 0 if there is none."""

    async def read(self, name: str, start: int, end: int) -> bytes:
        """The bytes of a file from `start` to before `end`."""

    async def remove(self, names: Iterable[str]) -> None:
        """Delete these files, as far as they are there."""


class Folder:
    """A folder of this machine, or one that several machines share.

    Raises:
        ConfigError: it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        made(path)
        self._path = path

    async def put(self, source: Path, name: str) -> None:
        with faults():
            await asyncio.to_thread(source.replace, self._path / name)

    @asynccontextmanager
    async def local(self, name: str) -> AsyncIterator[Path]:
        yield self._path / name

    async def size(self, name: str) -> int:
        with faults():
            return await asyncio.to_thread(_size, self._path / name)

    async def read(self, name: str, start: int, end: int) -> bytes:
        with faults():
            return await asyncio.to_thread(_read, self._path / name, start, end)

    async def remove(self, names: Iterable[str]) -> None:
        paths = [self._path / name for name in names]

        def remove() -> None:
            for path in paths:
                path.unlink(missing_ok=True)

        with faults():
            await asyncio.to_thread(remove)


def made(path: Path) -> Path:
    """A folder, made if it is not there.

    Raises:
        ConfigError: it cannot be made.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        problem = f'found "{path.parent}", allowed: a folder to write in ({error.strerror})'
        raise ConfigError("store.path", problem) from error
    return path


def stale(path: Path) -> bool:
    """Whether nobody has written a file for a day: the process that did so is gone."""
    return time.time() - path.stat().st_mtime > _STALE


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _read(path: Path, start: int, end: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(end - start)
