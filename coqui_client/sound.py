"""Any audio or video file, or a microphone, to frames of sound, through an ffmpeg process."""

import asyncio
import contextlib
import shutil
import subprocess
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg

from coqui_client.exceptions import SoundError
from coqui_client.rtp import CLOCK, FRAME_SECONDS, SILENCE

_READ = 4096
_STDERR_KEPT = 4096


@dataclass(frozen=True)
class Form:
    """A format of raw mono sound.

    Attributes:
        encoding: ffmpeg's name of the headerless format.
        rate: hertz.
        silence: a frame of silence; all frames are as long.
        seconds: the length of a frame.
    """

    encoding: str
    rate: int
    silence: bytes
    seconds: float


TELEPHONE = Form("mulaw", CLOCK, SILENCE, FRAME_SECONDS)
LIVE = Form("s16le", 16_000, bytes(3200), 0.1)
"""The format of the live protocols. 100 ms a message is usual for other servers too."""


async def frames(path: Path, form: Form = TELEPHONE) -> AsyncGenerator[bytes, None]:
    """The sound of a file in frames of one length; the last is filled up with silence.

    See `decoded`.

    Raises:
        OSError: the file cannot be opened.
        SoundError: ffmpeg finds no sound in it, stops with an error, or cannot be started.
    """
    await asyncio.to_thread(_open, path)
    # With "file:" no name is taken for an option or an address.
    source = ["-protocol_whitelist", "file", "-i", f"file:{path}"]
    async with contextlib.aclosing(decoded(source, form)) as sound:
        async for frame in sound:
            yield frame


async def decoded(source: Sequence[str], form: Form) -> AsyncGenerator[bytes, None]:
    """The sound that ffmpeg reads from `source` (its arguments up to `-i`), in frames of `form`.

    ffmpeg is held back while no frame is asked for. Close the generator to stop early: the process
    is gone when `aclose()` returns. Cancelling does the same.

    Raises:
        SoundError: ffmpeg finds no sound there, stops with an error, or cannot be started.
    """
    process = await _start(source, form)
    errors = asyncio.create_task(_stderr_end(process))
    frames_read = 0
    try:
        while frame := await _frame(process, form):
            frames_read += 1
            yield frame
        _judge(await errors, frames_read, await process.wait())
    finally:
        await _reap(process, errors)


def find_ffmpeg() -> str:
    """The ffmpeg to run: the system's, or the one inside imageio-ffmpeg.

    Raises:
        SoundError: there is neither.
    """
    try:
        return shutil.which("ffmpeg") or str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as missing:
        raise SoundError("there is no ffmpeg on this machine") from missing


def _open(path: Path) -> None:
    """Fail with the system's message; those of ffmpeg differ from version to version."""
    # Closed here, since the waiting task may be cancelled meanwhile.
    path.open("rb").close()


async def _start(source: Sequence[str], form: Form) -> Process:
    track = ["-map", "0:a:0", "-f", form.encoding, "-ar", str(form.rate), "-ac", "1"]
    quiet = ["-nostdin", "-hide_banner", "-loglevel", "error"]
    try:
        return await asyncio.create_subprocess_exec(
            # Without flush_packets a microphone's sound comes in blocks of a second.
            find_ffmpeg(),
            *quiet,
            *source,
            *track,
            "-flush_packets",
            "1",
            "pipe:1",
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            # Ctrl-C must not reach ffmpeg. The first has no effect on Windows, the second none
            # elsewhere.
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    except OSError as error:
        raise SoundError(f"ffmpeg could not be started: {error.strerror}") from error


async def _frame(process: Process, form: Form) -> bytes:
    """The next frame, or nothing at the end."""
    assert process.stdout is not None
    try:
        return await process.stdout.readexactly(len(form.silence))
    except asyncio.IncompleteReadError as end:
        return end.partial + form.silence[len(end.partial) :] if end.partial else b""


async def _stderr_end(process: Process) -> str:
    """The end of what ffmpeg wrote to stderr."""
    assert process.stderr is not None
    kept = b""
    while data := await process.stderr.read(_READ):
        kept = (kept + data)[-_STDERR_KEPT:]
    return kept.decode("utf-8", "replace").strip()


def _judge(errors: str, frames_read: int, exit_code: int) -> None:
    """Turn how ffmpeg ended into an error, if it did not end well."""
    if "matches no streams" in errors:
        raise SoundError("the file holds no audio track")
    if exit_code:
        # "file:talk.doc: Invalid data found", in later versions with more before the last colon.
        why = errors.splitlines()[-1].rpartition(": ")[2] if errors else exit_code
        raise SoundError(f"ffmpeg cannot read it: {why}")
    if not frames_read:
        raise SoundError("the file holds no sound")


async def _reap(process: Process, errors: "asyncio.Task[str]") -> None:
    if process.returncode is None:
        process.kill()
    errors.cancel()
    await asyncio.gather(errors, return_exceptions=True)
    # asyncio does not see the end of a process while there is output that nobody has read.
    for pipe in (process.stdout, process.stderr):
        while pipe is not None and await pipe.read(_READ):
            pass
    await process.wait()
