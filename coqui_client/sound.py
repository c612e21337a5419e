"""Any audio or video file to telephone sound, through an ffmpeg child process."""

import asyncio
import shutil
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator
from pathlib import Path

import imageio_ffmpeg

from coqui_client.exceptions import SoundError
from coqui_client.rtp import CLOCK, FRAME, SILENCE

_READ = 4096
_STDERR_KEPT = 4096


async def frames(path: Path) -> AsyncGenerator[bytes, None]:
    """The sound of a file as mu-law, 8 kHz, mono, in frames of 160 bytes (20 ms).

    The last one is filled up with silence. ffmpeg is held back while no frame is asked for. Close
    the generator to stop early: the process is gone when `aclose()` returns. Cancelling does the
    same.

    Raises:
        OSError: the file cannot be opened.
        SoundError: ffmpeg finds no sound in it, stops with an error, or cannot be started.
    """
    # For the system's own words; ffmpeg's are of many kinds.
    (await asyncio.to_thread(path.open, "rb")).close()
    process = await _start(path)
    complaints = asyncio.create_task(_last_words(process))
    heard = 0
    try:
        while frame := await _frame(process):
            heard += 1
            yield frame
        _judge(await complaints, heard, await process.wait())
    finally:
        await _reap(process, complaints)


def find_ffmpeg() -> str:
    """The ffmpeg to run: the system's, or the one inside imageio-ffmpeg.

    Raises:
        SoundError: there is neither.
    """
    try:
        return shutil.which("ffmpeg") or str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as missing:
        raise SoundError("there is no ffmpeg on this machine") from missing


async def _start(path: Path) -> Process:
    # With "file:" no name is taken for an option or an address.
    source = ["-protocol_whitelist", "file", "-i", f"file:{path}"]
    sound = ["-map", "0:a:0", "-f", "mulaw", "-ar", str(CLOCK), "-ac", "1", "pipe:1"]
    quiet = ["-nostdin", "-hide_banner", "-loglevel", "error"]
    try:
        return await asyncio.create_subprocess_exec(
            *(find_ffmpeg(), *quiet, *source, *sound),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            # Ctrl-C is for us; ffmpeg would take it for its own and complain. No-op on Windows.
            start_new_session=True,
        )
    except OSError as error:
        raise SoundError(f"ffmpeg could not be started: {error.strerror}") from error


async def _frame(process: Process) -> bytes:
    """The next frame, or nothing at the end."""
    assert process.stdout is not None
    try:
        return await process.stdout.readexactly(FRAME)
    except asyncio.IncompleteReadError as end:
        return end.partial + SILENCE[len(end.partial) :] if end.partial else b""


async def _last_words(process: Process) -> str:
    """The end of what ffmpeg wrote to stderr."""
    assert process.stderr is not None
    kept = b""
    while data := await process.stderr.read(_READ):
        kept = (kept + data)[-_STDERR_KEPT:]
    return kept.decode("utf-8", "replace").strip()


def _judge(complaints: str, heard: int, exit_code: int) -> None:
    """Turn how ffmpeg ended into an error, if it did not end well."""
    if "matches no streams" in complaints:
        raise SoundError("the file holds no audio track")
    if exit_code:
        # "file:talk.doc: Invalid data found", in later versions with more before the last colon.
        why = complaints.splitlines()[-1].rpartition(": ")[2] if complaints else exit_code
        raise SoundError(f"ffmpeg cannot read it: {why}")
    if not heard:
        raise SoundError("the file holds no sound")


async def _reap(process: Process, complaints: "asyncio.Task[str]") -> None:
    if process.returncode is None:
        process.kill()
    complaints.cancel()
    await asyncio.gather(complaints, return_exceptions=True)
    # asyncio does not see the end of a process while there is output that nobody has read.
    for pipe in (process.stdout, process.stderr):
        while pipe is not None and await pipe.read(_READ):
            pass
    await process.wait()
