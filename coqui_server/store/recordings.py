"""The sound of sessions as WAV files, written as it comes."""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from coqui_server.exceptions import ConfigError
from coqui_server.media import wav
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.store.database import faults

_SAMPLE = 2
"""Bytes."""

_BLOCK = SAMPLE_RATE * _SAMPLE
"""Bytes that are written at once: a second, which is what a kill may cost."""

Result = TypeVar("Result")


class Recordings:
    """The folder of recordings, one file for each session, and the thread that writes them.

    Raises:
        ConfigError: the folder cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            problem = f'found "{folder.parent}", allowed: a folder to write in ({error.strerror})'
            raise ConfigError("store.path", problem) from error
        self._folder = folder
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="recordings")

    def path(self, session: str) -> Path:
        """Where the sound of a session is, if any is kept."""
        return self._folder / f"{session}.wav"

    async def sizes(self, sessions: Iterable[str]) -> dict[str, int]:
        """How many bytes of sound are kept of each of these, 0 for none.

        Raises:
            StoreError: the disk refused.
        """
        paths = {session: self.path(session) for session in sessions}

        def look() -> dict[str, int]:
            return {session: _size(path) for session, path in paths.items()}

        with faults():
            return await self.run(look)

    async def remove(self, sessions: Iterable[str]) -> None:
        """Delete the sound of these, as far as there is any.

        Raises:
            StoreError: the disk refused.
        """
        paths = [self.path(session) for session in sessions]

        def remove() -> None:
            for path in paths:
                path.unlink(missing_ok=True)

        with faults():
            await self.run(remove)

    def run(self, work: Callable[[], Result]) -> "asyncio.Future[Result]":
        """Do something with files on the thread, after what it was given before."""
        return asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        """Wait for what is being written."""
        self._thread.shutdown()


class Recording:
    """One session's sound. Used by one task at a time.

    At most two seconds are held: one that is gathered, one that is being written. The header is
    made right with every write, so that a file whose daemon was killed can be played.
    """

    def __init__(self, session: str, recordings: Recordings) -> None:
        self._path = recordings.path(session)
        self._run = recordings.run
        self._gathered = bytearray()
        self._place = 0
        self._writing: asyncio.Future[None] | None = None

    async def write(self, pcm: Samples) -> None:
        """Take the next samples; wait while the disk is behind.

        Raises:
            StoreError: what came before could not be written.
        """
        self._gathered += pcm.astype("<i2", copy=False).tobytes()
        if len(self._gathered) >= _BLOCK:
            await self._flush()

    async def skip(self, samples: int) -> None:
        """Take so many samples of silence, which need no room on the disk. Raises as `write`."""
        await self._flush()
        self._place += samples * _SAMPLE

    async def close(self) -> int:
        """Write what is left; the bytes of the file, 0 if there was nothing to hear.

        Raises:
            StoreError: it could not be written.
        """
        await self._flush()
        await self._written()
        with faults():
            return await self._run(partial(_finish, self._path, self._place))

    async def abandon(self) -> None:
        """Write no more."""
        if self._writing is not None:
            await asyncio.wait((self._writing,))

    async def _flush(self) -> None:
        await self._written()
        if self._gathered:
            block = bytes(self._gathered)
            self._gathered.clear()
            self._writing = self._run(partial(_write, self._path, self._place, block))
            self._place += len(block)

    async def _written(self) -> None:
        """Wait for the disk. A cancelled session's last second is written all the same."""
        if self._writing is not None:
            await asyncio.wait((self._writing,))
            writing, self._writing = self._writing, None
            with faults():
                writing.result()


def _write(path: Path, place: int, block: bytes) -> None:
    with path.open("r+b" if path.exists() else "w+b") as file:
        file.seek(wav.HEADER + place)
        file.write(block)
        file.seek(0)
        file.write(wav.header(place + len(block)))


def _finish(path: Path, length: int) -> int:
    """Add the silence at the end, if a file was begun; its size."""
    if path.exists():
        with path.open("r+b") as file:
            file.truncate(wav.HEADER + length)
            file.write(wav.header(length))
    return _size(path)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
