"""One file as a telephone call: RTP to the daemon at real pace, its events back on a WebSocket.

RTCP goes to the same port as RTP (RFC 5761).
"""

import asyncio
import contextlib
import secrets
import socket
import time
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import NamedTuple, cast

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from coqui_client.connection import connected
from coqui_client.exceptions import LostError, UnheardError
from coqui_client.heard import Heard
from coqui_client.progress import Progress
from coqui_client.reply import Reply
from coqui_client.rtp import FRAME_SECONDS, SILENCE, Stream
from coqui_client.sound import frames

PORT = 5004
"""Where RTP is sent unless told otherwise (RFC 3551 section 8)."""

REPORT_SECONDS = 5.0
SILENCE_SECONDS = 1.0
"""Sent after the file, so that the daemon sees that the last words are over."""

GRACE_SECONDS = 2.0
PATIENCE_SECONDS = 30.0

_FRAMES_PER_REPORT = round(REPORT_SECONDS / FRAME_SECONDS)


class Address(NamedTuple):
    """Where the daemon takes RTP."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


async def transcribe(path: Path, address: Address, url: str, progress: Progress) -> Reply:
    """Play the file at `path` to `address`, and give what the events at `url` say of it.

    It takes as long as the file does. Cancelling says BYE and leaves nothing behind.

    Raises:
        OSError: the file cannot be opened.
        SoundError: ffmpeg makes no sound of it.
        UnreachableError: nobody answers at `url`.
        UnheardError: there was no event of this call when all was sent, or nobody listens at
            `address`.
        RefusedError: the daemon says that the call failed, or has no events.
        LostError: the events ended, or stayed away for 30 s, before the call was over.
        ReplyError: the events are not those of the daemon.
    """
    async with connected(url) as events, _line(address) as line:
        call = _Call(path.name, address, line, progress)
        listening = asyncio.create_task(call.listen(events))
        try:
            async with contextlib.aclosing(_sound(path)) as sound:
                await call.speak(sound, listening)
            return await call.outcome(listening)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


class _Line(asyncio.DatagramProtocol):
    """Our end of the UDP way; what the daemon reports back on it is not read.

    Attributes:
        refusal: what the system said about the last packet it could not deliver.
    """

    def __init__(self) -> None:
        self.refusal: Exception | None = None
        self.closed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not by isinstance: CPython's own is no subclass of it.
        self.transport = cast(asyncio.DatagramTransport, transport)

    def error_received(self, exc: Exception) -> None:
        self.refusal = exc

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()


class _Call:
    """One call: the sending side, the listening side, and how it ended."""

    def __init__(self, name: str, address: Address, line: _Line, progress: Progress) -> None:
        self._address = address
        self._line = line
        self._progress = progress
        bits = secrets.randbits
        self._stream = Stream(name, ssrc=bits(32), sequence=bits(16), timestamp=bits(32))
        self._heard = Heard(self._stream.ssrc)
        self._complete = False
        # Both by the loop's clock.
        self._began = 0.0
        self._last_news = 0.0

    async def listen(self, events: ClientConnection) -> None:
        """Take events until those of this call are over."""
        while not self._heard.ended:
            try:
                message = await events.recv()
            except ConnectionClosed as closed:
                raise _lost(closed) from closed
            if self._heard.take(message):
                self._last_news = asyncio.get_running_loop().time()
                self._progress.heard(self._heard.latest)

    async def speak(self, sound: AsyncIterator[bytes], listening: "asyncio.Task[None]") -> None:
        """Send `sound` frame by frame at real pace, and BYE, also when it is cut short.

        It stops early when nobody is there, or `listening` is over.
        """
        self._progress.call()
        try:
            async for frame in sound:
                await self._pause()
                if listening.done() or self._nobody_there():
                    return
                self._send(frame)
            self._complete = True
        finally:
            self._hang_up()

    async def outcome(self, listening: "asyncio.Task[None]") -> Reply:
        """Wait for the rest of the events; the reply they make."""
        waiting = asyncio.create_task(self._progress.wait("transcribing"))
        try:
            await self._settle(listening)
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        reply = self._heard.reply()
        if not self._complete:
            seconds = reply.transcript.duration
            raise LostError(f"the daemon ended the call after {seconds:.0f} s, before the file did")
        return reply

    async def _settle(self, listening: "asyncio.Task[None]") -> None:
        while not listening.done():
            patience = PATIENCE_SECONDS if self._heard.began else GRACE_SECONDS
            left = self._last_news + patience - asyncio.get_running_loop().time()
            if left <= 0 or self._nobody_there():
                raise self._given_up()
            await asyncio.wait((listening,), timeout=left)
        listening.result()

    async def _pause(self) -> None:
        """Wait for the next packet's time, counted from the first packet so that none drifts."""
        clock = asyncio.get_running_loop().time
        if not self._stream.packets:
            self._began = clock()
        due = self._began + self._stream.packets * FRAME_SECONDS
        await asyncio.sleep(max(0.0, due - clock()))

    def _send(self, frame: bytes) -> None:
        send = self._line.transport.sendto
        send(self._stream.packet(frame))
        if self._stream.packets % _FRAMES_PER_REPORT == 1:
            send(self._stream.report(time.time(), self._elapsed()))
        self._progress.sent(FRAME_SECONDS)

    def _hang_up(self) -> None:
        # Who has sent nothing must not say goodbye either (RFC 3550 section 6.3.7).
        if self._stream.packets:
            self._line.transport.sendto(self._stream.goodbye(time.time(), self._elapsed()))
        self._last_news = asyncio.get_running_loop().time()

    def _elapsed(self) -> float:
        return asyncio.get_running_loop().time() - self._began

    def _nobody_there(self) -> bool:
        return self._line.refusal is not None and not self._heard.began

    def _given_up(self) -> UnheardError | LostError:
        if self._heard.began:
            return LostError(
                f"the daemon has said nothing of the call for {PATIENCE_SECONDS:.0f} s"
            )
        reason = self._line.refusal
        why = f" ({reason.strerror or reason})" if isinstance(reason, OSError) else ""
        return UnheardError(
            f"the daemon heard no call from us at {self._address}{why}; look at its rtp.enabled, "
            "rtp.port, rtp.allow and rtp.max_calls"
        )


@contextlib.asynccontextmanager
async def _line(address: Address) -> AsyncIterator[_Line]:
    line = await _opened(address)
    try:
        yield line
    finally:
        line.transport.close()
        await line.closed.wait()


async def _opened(address: Address) -> _Line:
    loop = asyncio.get_running_loop()
    # IPv4 first: "localhost" has both, and the daemon listens on 127.0.0.1 unless told otherwise.
    for family in (socket.AF_INET, socket.AF_UNSPEC):
        try:
            _, line = await loop.create_datagram_endpoint(_Line, family=family, remote_addr=address)
        except OSError as failure:
            reason = failure.strerror or str(failure)
        else:
            return line
    raise UnheardError(f"nothing can be sent to {address}: {reason}")


async def _sound(path: Path) -> AsyncGenerator[bytes, None]:
    async with contextlib.aclosing(frames(path)) as file:
        async for frame in file:
            yield frame
    for _ in range(round(SILENCE_SECONDS / FRAME_SECONDS)):
        yield SILENCE


def _lost(closed: ConnectionClosed) -> LostError:
    if closed.rcvd is None:
        return LostError("the connection to the daemon's events was lost")
    why = closed.rcvd.reason or f"code {int(closed.rcvd.code)}"
    return LostError(f"the daemon closed the connection to its events ({why})")
