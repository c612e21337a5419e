"""Other people's programs that send sound, for the tests of calls."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from coqui_server.media.ffmpeg import find_ffmpeg
from tests.support.daemon import made


def program(name: str) -> str:
    """The path of a program; without it the test is skipped."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def gstreamer(*elements: str) -> str:
    """The path of GStreamer's launcher; without it or one of these the test is skipped."""
    inspect = program("gst-inspect-1.0")
    for element in elements:
        if subprocess.run([inspect, "--exists", element], check=False).returncode:
            pytest.skip(f"GStreamer has no {element} here")
    return program("gst-launch-1.0")


async def started(*command: str, folder: Path | None = None) -> asyncio.subprocess.Process:
    """A program that runs, with pipes."""
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.STDOUT, cwd=folder
    )


async def run(*command: str, folder: Path | None = None) -> None:
    """Run a program to its end, which must be a good one."""
    process = await started(*command, folder=folder)
    printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()


@asynccontextmanager
async def running(*command: str) -> AsyncIterator[None]:
    """A program that runs inside the block and is killed at its end."""
    process = await started(*command)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


def ffmpeg() -> str:
    """The path of ffmpeg."""
    return find_ffmpeg()


def mu_law(source: Path, folder: Path, *arguments: str) -> bytes:
    """A sound as mu-law at 8 kHz, nothing around it."""
    coded = ("-ar", "8000", "-ac", "1", "-f", "mulaw")
    return made(*arguments, *coded, source=source, suffix=".ulaw", folder=folder)
