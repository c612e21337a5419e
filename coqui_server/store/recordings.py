"""The sound of sessions as WAV files, written as it comes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from coqui_server.media import wav
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.store.database import faults
from coqui_server.store.files import Files, Folder, made, stale

_SAMPLE = 2
"""Bytes."""

_BLOCK = SAMPLE_RATE * _SAMPLE
"""Bytes that are written at once: a second, which is what a kill may cost."""

_SUFFIX = ".wav"

Result = TypeVar("Result")


@dataclass(frozen=True)
class Recorded:
    """The sound of a session, of `size` bytes.

    Attributes:
        path: where it is, if it is on this machine.
        read: gives its bytes from a place to before another one.
    """

    size: int
    path: Path | None
    read: Callable[[int, int], Awaitable[bytes]]


class Recordings:
    """The recordings that are complete, in `files`, those that grow, and the thread that writes
    them. One file for each session.

    Args:
        folder: of this machine, where they grow.
        files: where they go; None: they stay in the folder.

    Attributes:
        moving: sessions whose sound is to go there.

    Raises:
        ConfigError: the folder cannot be made.
    """

    def __init__(self, folder: Path, files: Files | None = None) -> None:
        self._folder = made(folder)
        self._files = files
        self._here = Folder(folder)
        self.moving: asyncio.Queue[str] = asyncio.Queue()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="recordings")

    def path(self, session: str) -> Path:
        """Where the sound of a session grows."""
        return self._folder / _name(session)

    async def find(self, session: str) -> Recorded | None:
        """The sound of a session; None if none is kept.

        Raises:
            StoreError: it cannot be reached.
        """
        for place in self._places:
            if size := await place.size(_name(session)):
                path = self.path(session) if place is self._here else None
                return Recorded(size, path, partial(place.read, _name(session)))
        return None

    @asynccontextmanager
    async def local(self, session: str) -> AsyncIterator[Path]:
        """The sound of a session on this machine, while the block lasts. Raises as `find`."""
        place = self._files or self._here
        if await self._here.size(_name(session)):
            place = self._here
        async with place.local(_name(session)) as path:
            yield path

    async def size(self, session: str) -> int:
        """Bytes of the sound of a session; 0 if there is none. Raises as `find`."""
        recorded = await self.find(session)
        return recorded.size if recorded else 0

    async def complete(self, session: str) -> int:
        """Let go of the sound of a session, which may then move to where it stays; its bytes.

        Raises:
            StoreError: the disk refused.
        """
        size = await self._here.size(_name(session))
        if size and self._files:
            self.moving.put_nowait(session)
        return size

    async def move(self, session: str) -> None:
        """Move the sound of a session to where it stays, if it is still here.

        Raises:
            StoreError: it cannot be moved.
        """
        if self._files and await self._here.size(_name(session)):
            await self._files.put(self.path(session), _name(session))

    async def remove(self, sessions: Iterable[str]) -> None:
        """Delete the sound of these, as far as there is any.

        Raises:
            StoreError: the disk refused.
        """
        names = [_name(session) for session in sessions]
        for place in self._places:
            await place.remove(names)

    def left(self) -> list[str]:
        """Sessions whose sound is still here though nobody has written it for a day."""
        if self._files is None:
            return []
        return [path.stem for path in self._folder.glob(f"*{_SUFFIX}") if stale(path)]

    @property
    def _places(self) -> list[Files]:
        return [self._here, *([self._files] if self._files else [])]

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
        self._complete = partial(recordings.complete, session)
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
            await self._run(partial(_finish, self._path, self._place))
        return await self._complete()

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


def _finish(path: Path, length: int) -> None:
    """Add the silence at the end, if a file was begun."""
    if path.exists():
        with path.open("r+b") as file:
            file.truncate(wav.HEADER + length)
            file.write(wav.header(length))


def _name(session: str) -> str:
    return f"{session}{_SUFFIX}"
