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

from coqui_client.call_transcript import CallTranscript
from coqui_client.connection import connected
from coqui_client.exceptions import LostError, UnheardError
from coqui_client.progress import Progress
from coqui_client.reply import Reply
from coqui_client.rtp import FRAME_SECONDS, SILENCE, Stream
from coqui_client.sound import frames

PORT = 5004
"""The default port of RTP (RFC 3551 section 8)."""

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
    """Send the file at `path` to `address` as a call, and return the text from the events at `url`.

    It takes as long as the file. Cancelling sends BYE and leaves nothing behind.

    Raises:
        OSError: the file cannot be opened.
        SoundError: ffmpeg makes no sound of it.
        UnreachableError: nothing answers at `url`.
        UnheardError: there was no event of this call when all was sent, or `address` refuses
            packets.
        RefusedError: the daemon says that the call failed, or has no events.
        LostError: the events ended, or none came for 30 s, before the call was over.
        ReplyError: the events are not those of the daemon.
    """
    async with connected(url) as events, _sender(address) as sender:
        call = _Call(path.name, address, sender, progress)
        listening = asyncio.create_task(call.listen(events))
        try:
            async with contextlib.aclosing(_sound(path)) as sound:
                await call.speak(sound, listening)
            return await call.outcome(listening)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


class _UdpSender(asyncio.DatagramProtocol):
    """The UDP socket; the daemon's receiver reports on it are not read.

    Attributes:
        refusal: the system's error for the last packet that could not be delivered.
    """

    def __init__(self) -> None:
        self.refusal: Exception | None = None
        self.closed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A cast, because CPython's transport is not a subclass of it.
        self.transport = cast(asyncio.DatagramTransport, transport)

    def error_received(self, exc: Exception) -> None:
        self.refusal = exc

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()


class _Call:
    """One call: the sending side, the listening side, and how it ended."""

    def __init__(self, name: str, address: Address, sender: _UdpSender, progress: Progress) -> None:
        self._address = address
        self._sender = sender
        self._progress = progress
        bits = secrets.randbits
        self._stream = Stream(name, ssrc=bits(32), sequence=bits(16), timestamp=bits(32))
        self._transcript = CallTranscript(self._stream.ssrc)
        self._complete = False
        # Both by the loop's clock.
        self._began = 0.0
        self._last_event = 0.0

    async def listen(self, events: ClientConnection) -> None:
        """Read events until the call is over."""
        while not self._transcript.ended:
            try:
                message = await events.recv()
            except ConnectionClosed as closed:
                raise _lost(closed) from closed
            if self._transcript.take(message):
                self._last_event = asyncio.get_running_loop().time()
                self._progress.heard(self._transcript.latest)

    async def speak(self, sound: AsyncIterator[bytes], listening: "asyncio.Task[None]") -> None:
        """Send `sound` frame by frame at real pace, and BYE, also when it is cut short.

        Stops early when nobody receives, or `listening` is over.
        """
        self._progress.call()
        try:
            async for frame in sound:
                await self._pause()
                if listening.done() or self._unreachable():
                    return
                self._send(frame)
            self._complete = True
        finally:
            self._send_bye()

    async def outcome(self, listening: "asyncio.Task[None]") -> Reply:
        """Wait for the rest of the events; return the reply."""
        waiting = asyncio.create_task(self._progress.wait("transcribing"))
        try:
            await self._receive_rest(listening)
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        reply = self._transcript.reply()
        if not self._complete:
            seconds = reply.transcript.duration
            raise LostError(f"the daemon ended the call after {seconds:.0f} s, before the file did")
        return reply

    async def _receive_rest(self, listening: "asyncio.Task[None]") -> None:
        while not listening.done():
            patience = PATIENCE_SECONDS if self._transcript.began else GRACE_SECONDS
            left = self._last_event + patience - asyncio.get_running_loop().time()
            if left <= 0 or self._unreachable():
                raise self._timeout_error()
            await asyncio.wait((listening,), timeout=left)
        listening.result()

    async def _pause(self) -> None:
        """Wait until the next packet is due, counted from the first, so that no error adds up."""
        clock = asyncio.get_running_loop().time
        if not self._stream.packets:
            self._began = clock()
        due = self._began + self._stream.packets * FRAME_SECONDS
        await asyncio.sleep(max(0.0, due - clock()))

    def _send(self, frame: bytes) -> None:
        send = self._sender.transport.sendto
        send(self._stream.packet(frame))
        if self._stream.packets % _FRAMES_PER_REPORT == 1:
            send(self._stream.report(time.time(), self._elapsed()))
        self._progress.sent(FRAME_SECONDS)

    def _send_bye(self) -> None:
        # A source that has sent nothing must not send BYE (RFC 3550 section 6.3.7).
        if self._stream.packets:
            self._sender.transport.sendto(self._stream.goodbye(time.time(), self._elapsed()))
        self._last_event = asyncio.get_running_loop().time()

    def _elapsed(self) -> float:
        return asyncio.get_running_loop().time() - self._began

    def _unreachable(self) -> bool:
        return self._sender.refusal is not None and not self._transcript.began

    def _timeout_error(self) -> UnheardError | LostError:
        if self._transcript.began:
            return LostError(
                f"the daemon has sent no event of the call for {PATIENCE_SECONDS:.0f} s"
            )
        reason = self._sender.refusal
        why = f" ({reason.strerror or reason})" if isinstance(reason, OSError) else ""
        return UnheardError(
            f"the daemon heard no call from us at {self._address}{why}; look at its rtp.enabled, "
            "rtp.port, rtp.allow and rtp.max_calls"
        )


@contextlib.asynccontextmanager
async def _sender(address: Address) -> AsyncIterator[_UdpSender]:
    sender = await _opened(address)
    try:
        yield sender
    finally:
        sender.transport.close()
        await sender.closed.wait()


async def _opened(address: Address) -> _UdpSender:
    loop = asyncio.get_running_loop()
    # IPv4 first: "localhost" has both, and the daemon listens on 127.0.0.1 unless told otherwise.
    for family in (socket.AF_INET, socket.AF_UNSPEC):
        try:
            _, sender = await loop.create_datagram_endpoint(
                _UdpSender, family=family, remote_addr=address
            )
        except OSError as failure:
            reason = failure.strerror or str(failure)
        else:
            return sender
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
