"""One ffmpeg process that decodes one track of a file to 16 kHz samples of all its channels."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np

from coqui_server.exceptions import TranscodeError
from coqui_server.media.ffmpeg import READ, backlog, feed, reap
from coqui_server.media.ffmpeg_log import FfmpegLog
from coqui_server.media.samples import SAMPLE_RATE, Frames
from coqui_server.media.source import Source

_FILTER = f"aresample={SAMPLE_RATE}:async=1:first_pts=0"
"""A track that begins late or has gaps is filled with silence, so that times are the file's own."""

_OUTPUT = ("-af", _FILTER, "-c:a", "pcm_s16be", "-f", "au", "pipe:1")
"""AU has the shortest header with a number of channels, and no length."""

_WITH_PICTURES = ("-map", "0:v?", "-c", "copy", "-f", "null", "-")
"""ffmpeg takes the first time in an MPEG stream for its start, among the tracks that it reads. A
film has to be among them, or a sound track that begins after it would be moved to 0."""

_HEADER = 24
"""Bytes of an AU header without its annotation."""


class Decoder:
    """A running ffmpeg. See `decoding`.

    Attributes:
        log: what it has said.
    """

    def __init__(
        self, process: Process, chunks: AsyncGenerator[bytes, None] | None, patience: float
    ) -> None:
        self.log = FfmpegLog()
        self._process = process
        self._patience = patience
        self._changed = asyncio.Event()
        self._feeder = asyncio.create_task(feed(process, chunks))
        self._messages = asyncio.create_task(self._listen())

    async def opened(self) -> None:
        """Wait until ffmpeg has described the file, or has given it up.

        Raises:
            TranscodeError: it makes no progress.
        """
        await self._progress(self._description())

    async def sound(self) -> AsyncGenerator[Frames, None]:
        """All frames. Raises as `opened`."""
        data = await self._start()
        while data:
            size = len(data) // (2 * self._channels) * 2 * self._channels
            frames = np.frombuffer(data[:size], ">i2").reshape(-1, self._channels)
            if len(frames):
                yield frames.astype(np.int16)
            more = await self._read()
            data = data[size:] + more if more else b""

    async def ended(self) -> int:
        """Wait for the end; the exit code."""
        await self._feeder
        await self._messages
        return await self._process.wait()

    async def close(self) -> None:
        """End the process, also in the middle."""
        await reap(self._process, self._feeder, self._messages)

    async def _start(self) -> bytes:
        """Read the header; give the first bytes of sound, or none if there is no sound."""
        data = b""
        while len(data) < _HEADER or len(data) <= int.from_bytes(data[4:8], "big"):
            if not (more := await self._read()):
                return b""
            data += more
            if not data.startswith(b".snd"[: len(data)]):
                raise TranscodeError("ffmpeg gave something else than sound")
        self._channels = int.from_bytes(data[20:24], "big")
        return data[int.from_bytes(data[4:8], "big") :]

    async def _listen(self) -> None:
        assert self._process.stderr is not None
        while data := await self._process.stderr.read(READ):
            self.log.feed(data.decode("utf-8", "replace"))
            self._changed.set()

    async def _description(self) -> None:
        while not (self.log.opened or self._messages.done()):
            self._changed.clear()
            changed = asyncio.ensure_future(self._changed.wait())
            try:
                await asyncio.wait((changed, self._messages), return_when=asyncio.FIRST_COMPLETED)
            finally:
                changed.cancel()

    async def _read(self) -> bytes:
        assert self._process.stdout is not None
        data: bytes = await self._progress(self._process.stdout.read(READ))
        return data

    async def _progress(self, result: Any) -> Any:
        """Wait for a result of ffmpeg, at most for the timeout while it has input."""
        waiting = asyncio.ensure_future(result)
        feeder = self._feeder
        try:
            while not waiting.done():
                pending = (waiting,) if feeder.done() else (waiting, feeder)
                done, _ = await asyncio.wait(
                    pending, timeout=self._patience, return_when=asyncio.FIRST_COMPLETED
                )
                if feeder.done():
                    feeder.result()
                if not done and (feeder.done() or backlog(self._process)):
                    raise TranscodeError(f"ffmpeg gave nothing for {self._patience:g} s")
            return waiting.result()
        finally:
            waiting.cancel()


@asynccontextmanager
async def decoding(
    program: str, source: Source, track: int, patience: float
) -> AsyncIterator[Decoder]:
    """Decode a track while the block runs.

    Args:
        track: its number, from 1.
        patience: seconds without progress after which a file is given up.
    """
    output = ["-map", f"0:a:{track - 1}", "-threads", "1", *_OUTPUT]
    if source.mpeg:
        output += _WITH_PICTURES
    chunks = source.chunks()
    process = await launch(program, *source.options, *output, piped=chunks is not None)
    decoder = Decoder(process, chunks, patience)
    try:
        yield decoder
    finally:
        await decoder.close()


async def launch(program: str, *options: str, piped: bool) -> Process:
    """Start ffmpeg.

    Raises:
        TranscodeError: it cannot be started.
    """
    try:
        return await asyncio.create_subprocess_exec(
            program,
            "-nostdin",
            "-hide_banner",
            "-nostats",
            "-loglevel",
            "level+info",
            *options,
            stdin=PIPE if piped else DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            limit=4 * READ,
        )
    except OSError as error:
        raise TranscodeError(f"ffmpeg could not be started: {error.strerror}") from error
