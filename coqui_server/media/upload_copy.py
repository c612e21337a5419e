"""The bytes of an upload, passed on as they come, and kept while they may be needed again."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import BinaryIO, Self

from coqui_server.exceptions import TranscodeError


class UploadCopy:
    """Use as an async context manager; the copy is deleted at its end.

    Args:
        chunks: the bytes. Cancelling a reader of this class does not cancel them.
        path: the same bytes, if they are on the disk already. Then there is no copy.
    """

    def __init__(self, chunks: AsyncIterator[bytes], path: Path | None = None) -> None:
        self._chunks = chunks
        self._path = path
        self._kept = path is None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._file: BinaryIO | None = None
        self._step: asyncio.Task[bytes | None] | None = None
        self._writing = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            if self._step:
                self._step.cancel()
                await asyncio.gather(self._step, return_exceptions=True)
        finally:
            self.release()

    async def pass_on(self) -> AsyncGenerator[bytes, None]:
        """The bytes from where the last reader stopped."""
        while (chunk := await self._next()) is not None:
            yield chunk

    async def whole(self) -> Path:
        """A file with all bytes, once they have come."""
        if not self._kept:
            assert self._path is not None
            return self._path
        while await self._next() is not None:
            pass
        assert self._file is not None
        await asyncio.to_thread(self._file.flush)
        return Path(self._file.name)

    def release(self) -> None:
        """The bytes are not needed again."""
        self._kept = False
        if not self._writing:
            self._delete()

    def _delete(self) -> None:
        if self._file:
            self._file.close()
            self._file = None
        if self._folder:
            self._folder.cleanup()
            self._folder = None

    async def _next(self) -> bytes | None:
        # A task of its own: a chunk that is read is also kept, if its reader is cancelled or not.
        self._step = self._step or asyncio.create_task(self._take())
        chunk = await asyncio.shield(self._step)
        self._step = None
        return chunk

    async def _take(self) -> bytes | None:
        chunk = await anext(self._chunks, None)
        if chunk is not None and self._kept:
            await self._keep(chunk)
        return chunk

    async def _keep(self, chunk: bytes) -> None:
        self._writing = True
        writing = asyncio.create_task(asyncio.to_thread(self._write, chunk))
        try:
            await asyncio.shield(writing)
        except OSError as error:
            raise TranscodeError(f"the upload could not be kept: {error.strerror}") from error
        finally:
            # A thread cannot be cancelled, and must not write into what is deleted.
            await asyncio.wait((writing,))
            self._writing = False
            if not self._kept:
                self._delete()

    def _write(self, chunk: bytes) -> None:
        if self._file is None:
            self._folder = tempfile.TemporaryDirectory(prefix="coqui_server_")
            self._file = (Path(self._folder.name) / "upload").open("wb")
        self._file.write(chunk)
