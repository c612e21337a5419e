"""Files that are uploaded, under names of ours, however their owners call them."""

import asyncio
import tempfile
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from coqui_server.exceptions import NotAudio, TooLarge
from coqui_server.store.database import faults
from coqui_server.store.files import Files, Folder, made, stale

_PART = ".part"
"""The end of the name of a file that is still arriving."""

_READ = 256 * 1024


def _untold(_: int) -> None:
    """For callers that need no progress."""


class Upload:
    """A file that arrives. `write` it, then give it to the queue, or it is gone with the block."""

    def __init__(self, path: Path, file: BinaryIO, limit: int | None, files: Files) -> None:
        self._path = path
        self._files = files
        self._file = file
        self._limit = limit
        self.size = 0

    @property
    def name(self) -> str:
        """What it is called once it is kept."""
        return self._path.stem

    async def write(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            TooLarge: it passes its limit.
            StoreError: the disk refused, perhaps because it is full.
        """
        self.size += len(data)
        if self._limit is not None and self.size > self._limit:
            raise TooLarge(f"the file is larger than {self._limit} bytes")
        with faults():
            await asyncio.to_thread(self._file.write, data)

    async def whole(self) -> Path:
        """All of it has come: where it is until the end of the block.

        Raises:
            NotAudio: it is empty.
            StoreError: as `write`.
        """
        if not self.size:
            raise NotAudio("the file is empty", "empty")
        with faults():
            await asyncio.to_thread(self._file.close)
        return self._path

    async def keep(self) -> None:
        """All of it has come, and it stays after the block. Raises as `whole`."""
        await self._files.put(await self.whole(), self.name)


class Uploads:
    """Uploads that are complete, in `files`, and those that arrive, in a folder of this machine.

    Args:
        folder: on the same disk as `files`, if they are in a folder.
        shared: whether other servers use the folder, too.

    Raises:
        ConfigError: the folder cannot be made.
    """

    def __init__(self, folder: Path, files: Files | None = None, *, shared: bool = False) -> None:
        self._folder = made(folder)
        self._files = files or Folder(folder)
        for half in folder.glob(f"*{_PART}"):
            if not shared or stale(half):
                half.unlink(missing_ok=True)

    @asynccontextmanager
    async def receive(self, limit: int | None) -> AsyncIterator[Upload]:
        """A new file of at most `limit` bytes, gone at the end of the block unless it was kept."""
        path = self._folder / f"{uuid.uuid4()}{_PART}"
        with faults():
            file = path.open("xb")
        try:
            yield Upload(path, file, limit, self._files)
        finally:
            _abandon(file, path)

    def local(self, name: str) -> AbstractAsyncContextManager[Path]:
        """An upload on this machine, while the block lasts. Raises `StoreError`."""
        return self._files.local(name)

    async def remove(self, name: str) -> None:
        """Delete an upload, if it is there. Raises `StoreError`."""
        await self._files.remove([name])


async def read(path: Path, told: Callable[[int], None] = _untold) -> AsyncGenerator[bytes, None]:
    """The bytes of an upload; `told` how many were read so far.

    Raises:
        StoreError: it cannot be read.
    """
    size = 0
    with faults():
        # Not on a thread: cancelled meanwhile, nobody would close it.
        file = path.open("rb")
    with file:
        while data := await asyncio.to_thread(file.read, _READ):
            yield data
            size += len(data)
            told(size)


@asynccontextmanager
async def temporary(limit: int | None) -> AsyncIterator[Upload]:
    """As `Uploads.receive`, for a daemon that keeps nothing: in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="coqui_server_") as folder:
        async with Uploads(Path(folder)).receive(limit) as upload:
            yield upload


def _abandon(file: BinaryIO, path: Path) -> None:
    """Remove what was not kept. Closing writes what is buffered, for which there may be no room."""
    with suppress(OSError):
        file.close()
    path.unlink(missing_ok=True)
