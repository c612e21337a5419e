"""An ffmpeg child process: found, fed, and ended without leaving anything behind."""

import asyncio
import shutil
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import imageio_ffmpeg

from coqui_server.exceptions import ConfigError
from coqui_server.media.samples import SAMPLE_RATE

READ = 2 * SAMPLE_RATE
"""Bytes per read (1 s of sound)."""


def find_ffmpeg(path: Path | None = None) -> str:
    """The ffmpeg to run: this one, else the system's, else the one inside imageio-ffmpeg.

    Raises:
        ConfigError: `path` (the setting `ffmpeg.path`) names no file.
    """
    if path is not None:
        if not path.is_file():
            raise ConfigError("ffmpeg.path", f'found "{path}", allowed: the ffmpeg program')
        return str(path)
    return shutil.which("ffmpeg") or str(imageio_ffmpeg.get_ffmpeg_exe())


async def feed(process: Process, chunks: AsyncGenerator[bytes, None] | None) -> None:
    """Write these bytes to ffmpeg's stdin as it takes them, then close it."""
    if chunks is None:
        return
    assert process.stdin is not None
    try:
        async with aclosing(chunks):
            async for chunk in chunks:
                process.stdin.write(chunk)
                await process.stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        # ffmpeg has found that it cannot read this; its exit tells why.
        return
    finally:
        process.stdin.close()


def backlog(process: Process) -> int:
    """Bytes that ffmpeg has not read yet."""
    return process.stdin.transport.get_write_buffer_size() if process.stdin else 0


async def reap(process: Process, *tasks: "asyncio.Task[object]") -> None:
    """End a process completely, also when this is cancelled: otherwise its pipes stay open."""
    ending = asyncio.create_task(_end(process, *tasks))
    try:
        await asyncio.shield(ending)
    finally:
        await asyncio.wait((ending,))


async def _end(process: Process, *tasks: "asyncio.Task[object]") -> None:
    if process.returncode is None:
        process.kill()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    # asyncio does not see the end of a process while it has unread output.
    assert process.stdout is not None
    while await process.stdout.read(READ):
        pass
    await process.wait()
