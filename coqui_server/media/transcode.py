"""Any audio or video file to 16 kHz mono PCM, through an ffmpeg child process.

Bytes go in as they arrive and samples come out as they are decoded, so that a file of any length
needs constant memory. The one exception is MP4 and its relatives, whose index may be at the end:
they go into a temporary file first, no larger than the message limit.
"""

import asyncio
import logging
import re
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from coqui_server.exceptions import NotAudio, TranscodeError
from coqui_server.media.container import HEAD, WavTail, needs_seeking
from coqui_server.media.ffmpeg import READ, backlog, feed, find_ffmpeg, reap, stderr_end
from coqui_server.media.samples import SAMPLE_RATE, Samples

_GUESS = re.compile(r"low score of (\d+)")
_LEAST_SCORE = 25
"""ffmpeg's score for an MP3 that begins in mid-frame. A lower score is only a guess."""

_DURATION = re.compile(r"Duration: (\d+):(\d+):(\d+\.\d+)")

_PROBE = 5_000_000
"""Bytes, and microseconds, that ffmpeg may read to find the format."""

_log = logging.getLogger(__name__)


class Transcoder:
    """Runs ffmpeg, one process for each file.

    Args:
        path: the ffmpeg program; None to look for one (`find_ffmpeg`).
        timeout: seconds without progress after which a file is given up.
    """

    def __init__(self, path: Path | None = None, timeout: float = 60.0) -> None:
        self.program = find_ffmpeg(path)
        self._timeout = timeout

    async def transcode(
        self, chunks: AsyncIterator[bytes], path: Path | None = None
    ) -> AsyncGenerator[Samples, None]:
        """The sound of the file with the bytes of `chunks`, as 16 kHz mono int16 blocks. With the
        `path` of the same file, one with its index at the end is not copied.

        Close the generator to stop early: the process and the temporary file are gone when
        `aclose()` returns. Cancelling does the same.

        Raises:
            NotAudio: the file has no sound, or is not a media file.
            TranscodeError: ffmpeg could not be started, or stopped making progress.
        """
        head, chunks = await _peek(chunks)
        if not head:
            raise NotAudio("the message is empty; send the bytes of an audio file", "empty")
        async with _input(head, chunks, path) as source, aclosing(self._run(source)) as sound:
            async for pcm in sound:
                yield pcm

    async def duration(self, path: Path) -> float | None:
        """Seconds of sound in a file by its head, if known. An estimate of ffmpeg, for progress."""
        with path.open("rb") as file:
            head = await asyncio.to_thread(file.read, HEAD)
            file.seek(0)
            kind = "mov" if needs_seeking(head) else "wav" if WavTail.of(head) else None
            source = _named(path, kind) if kind else ("-i", "pipe:0")
            stdin = DEVNULL if kind else file
            process = await self._launch(*_guards(kind is not None), *source, stdin=stdin)
            errors = asyncio.create_task(stderr_end(process))
            try:
                async with asyncio.timeout(self._timeout):
                    said = _DURATION.search(await errors)
            except TimeoutError:
                return None
            finally:
                await reap(process, errors)
        if said is None:
            return None
        hours, minutes, seconds = map(float, said.groups())
        return 3600 * hours + 60 * minutes + seconds

    async def _run(self, source: "_Input") -> AsyncGenerator[Samples, None]:
        process = await self._start(source)
        feeder = asyncio.create_task(feed(process, source.stdin))
        errors = asyncio.create_task(stderr_end(process))
        heard = 0
        try:
            async for pcm in self._samples(process, feeder):
                heard += len(pcm)
                yield pcm
            await feeder
            _judge(await errors, heard, await process.wait())
        finally:
            await reap(process, feeder, errors)

    async def _start(self, source: "_Input") -> Process:
        guards = _guards(source.stdin is None)
        sound = ["-map", "0:a:0", "-ac", "1", "-ar", str(SAMPLE_RATE), "-f", "s16le", "pipe:1"]
        quiet = ["-loglevel", "warning", "-threads", "1"]
        stdin = PIPE if source.stdin else DEVNULL
        return await self._launch(*quiet, *guards, *source.options, *sound, stdin=stdin)

    async def _launch(self, *options: str, stdin: int | BinaryIO) -> Process:
        try:
            return await asyncio.create_subprocess_exec(
                self.program,
                "-nostdin",
                "-hide_banner",
                *options,
                stdin=stdin,
                stdout=PIPE,
                stderr=PIPE,
                limit=4 * READ,
            )
        except OSError as error:
            raise TranscodeError(f"ffmpeg could not be started: {error.strerror}") from error

    async def _samples(
        self, process: Process, feeder: "asyncio.Task[None]"
    ) -> AsyncIterator[Samples]:
        odd = b""
        while data := await self._read(process, feeder):
            data = odd + data
            whole = len(data) & ~1
            odd = data[whole:]
            yield np.frombuffer(data[:whole], "<i2")

    async def _read(self, process: Process, feeder: "asyncio.Task[None]") -> bytes:
        """Wait for sound, at most for the timeout while ffmpeg has input."""
        assert process.stdout is not None
        reading = asyncio.ensure_future(process.stdout.read(READ))
        try:
            while not reading.done():
                pending = (reading,) if feeder.done() else (reading, feeder)
                done, _ = await asyncio.wait(
                    pending, timeout=self._timeout, return_when=asyncio.FIRST_COMPLETED
                )
                if feeder.done():
                    feeder.result()
                if not done and (feeder.done() or backlog(process)):
                    raise TranscodeError(f"ffmpeg gave nothing for {self._timeout:g} s")
            return reading.result()
        finally:
            reading.cancel()


@dataclass(frozen=True)
class _Input:
    """ffmpeg's input: options that end in `-i`, and the bytes for its stdin."""

    options: tuple[str, ...]
    stdin: AsyncIterator[bytes] | None = None


@asynccontextmanager
async def _input(
    head: bytes, chunks: AsyncIterator[bytes], path: Path | None
) -> AsyncIterator[_Input]:
    """How to read a file that begins with `head`."""
    if needs_seeking(head) and path:
        yield _Input(_named(path))
    elif needs_seeking(head):
        async with _spooled(chunks) as copy:
            yield _Input(_named(copy))
    elif tail := WavTail.of(head):
        yield _Input(("-f", "wav", "-ignore_length", "1", "-i", "pipe:0"), _cut(chunks, tail))
    else:
        yield _Input(("-i", "pipe:0"), chunks)


def _guards(named: bool) -> tuple[str, ...]:
    """Only our bytes may be read: a playlist must not open a URL or another file."""
    limits = ("-probesize", str(_PROBE), "-analyzeduration", str(_PROBE))
    return ("-protocol_whitelist", "file" if named else "pipe", *limits)


def _named(path: Path, kind: str = "mov") -> tuple[str, ...]:
    """A file is opened with a fixed format, which cannot be a playlist."""
    return ("-f", kind, "-i", f"file:{path}")


async def _peek(chunks: AsyncIterator[bytes]) -> tuple[bytes, AsyncIterator[bytes]]:
    """The first bytes, enough to find the format, and an iterator over all bytes."""
    head = b""
    async for chunk in chunks:
        head += chunk
        if len(head) >= HEAD:
            break

    async def everything() -> AsyncIterator[bytes]:
        yield head
        async for chunk in chunks:
            yield chunk

    return head, everything()


async def _cut(chunks: AsyncIterator[bytes], tail: WavTail) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        yield tail.cut(chunk)


@asynccontextmanager
async def _spooled(chunks: AsyncIterator[bytes]) -> AsyncIterator[Path]:
    """All bytes in a temporary file, which is deleted at the end of the block."""
    with tempfile.TemporaryDirectory(prefix="coqui_server_") as folder:
        path = Path(folder) / "upload"
        with path.open("wb") as file:
            async for chunk in chunks:
                try:
                    await asyncio.to_thread(file.write, chunk)
                except OSError as error:
                    raise TranscodeError(
                        f"the upload could not be kept: {error.strerror}"
                    ) from error
        yield path


def _judge(messages: str, heard: int, exit_code: int) -> None:
    """Raise the error of ffmpeg's exit, if it is one for the caller."""
    _log.debug("ffmpeg ended with %d: %s", exit_code, messages)
    if "matches no streams" in messages:
        raise NotAudio("the file holds no audio track", "no_audio")
    guess = _GUESS.search(messages)
    if (exit_code and not heard) or (guess and int(guess[1]) < _LEAST_SCORE):
        raise NotAudio("not an audio or video file that ffmpeg can read")
    if exit_code:
        _log.warning("ffmpeg stopped with %d after %d samples", exit_code, heard)
