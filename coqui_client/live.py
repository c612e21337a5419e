"""Live sound to the daemon, and its text back, over a WebSocket."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from coqui_client import microphone, sound
from coqui_client.captions import Display
from coqui_client.connection import connected, without_reply
from coqui_client.exceptions import ClientError, LostError
from coqui_client.live_protocols import Final, LiveProtocol, Partial
from coqui_client.live_transcript import LiveTranscript
from coqui_client.reply import Reply
from coqui_client.sound import LIVE

PATIENCE_SECONDS = 60.0
"""Seconds that the last finals may take; an utterance is at most 20 s long."""

_NORMAL_CLOSURE = 1000


@dataclass(frozen=True)
class Source:
    """Where sound comes from.

    Attributes:
        open: starts it; gives messages of `sound.LIVE` at real pace.
        endless: it goes on until Ctrl-C, which is then the normal end.
    """

    open: Callable[[], AsyncGenerator[bytes, None]]
    endless: bool


def of_file(path: Path) -> Source:
    """A file at real pace; raises as `sound.frames`."""
    return Source(lambda: paced(sound.frames(path, LIVE)), endless=False)


def of_microphone(name: str) -> Source:
    """The microphone called `name`, or the system's if that is empty."""
    return Source(lambda: microphone.listen(name, LIVE), endless=True)


async def transcribe(source: Source, url: str, protocol: LiveProtocol, display: Display) -> Reply:
    """Send `source` to the daemon at `url` and show its text on `display`.

    The text before a failure is not lost: the reply then has the reason as `incomplete`. Times are
    seconds from the start of the sound. Cancelling leaves nothing behind.

    Raises:
        OSError: the file cannot be opened, or the display cannot be written to.
        SoundError: ffmpeg makes no sound of it.
        UnreachableError: nothing answers at `url`.
        BusyError: there is no room now.
        RefusedError: the daemon cannot serve this, or failed.
        LostError: the connection ended before the last final.
        ReplyError: the messages are not those of the protocol.
    """
    async with connected(url) as socket:
        session = _LiveSession(socket, protocol, display)
        listening = asyncio.create_task(session.listen())
        try:
            await session.speak(source)
            await session.receive_rest(listening)
        except ClientError as failure:
            if not session.transcript:
                raise
            return session.transcript.reply(session.seconds, str(failure))
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
    return session.transcript.reply(session.seconds)


class _LiveSession:
    """One session: the sending side and the listening side.

    Attributes:
        transcript: the text so far.
        seconds: of sound, sent so far.
    """

    def __init__(self, socket: ClientConnection, protocol: LiveProtocol, display: Display) -> None:
        self.transcript = LiveTranscript()
        self.seconds = 0.0
        self._socket = socket
        self._protocol = protocol
        self._display = display
        # Set by Ctrl-C, and when the daemon sends no more.
        self._enough = asyncio.Event()
        self._received_all = False
        self._stopped = False

    async def listen(self) -> None:
        """Read messages until the protocol says that the session is over."""
        try:
            while not self.transcript.ended:
                self._take(await self._socket.recv())
        except ConnectionClosed as closed:
            if not self._is_the_end(closed):
                raise without_reply(closed) from closed
        finally:
            self._received_all = True
            self._enough.set()

    async def speak(self, source: Source) -> None:
        """Send the sound until its end, Ctrl-C, or the end of the connection."""
        self._display.listening()
        with contextlib.suppress(ConnectionClosed):
            if opening := self._protocol.opening(self._display.interim):
                await self._socket.send(opening)
            with _interrupt(self._enough) if source.endless else contextlib.nullcontext():
                async with contextlib.aclosing(_until(self._enough, source.open())) as pieces:
                    async for piece in pieces:
                        await self._send(piece)
            if not self._received_all:
                self._stopped = True
                await self._socket.send(self._protocol.closing)

    async def receive_rest(self, listening: "asyncio.Task[None]") -> None:
        """Wait for the last finals."""
        await asyncio.wait((listening,), timeout=PATIENCE_SECONDS)
        if not listening.done():
            raise LostError(f"the daemon did not end the session in {PATIENCE_SECONDS:.0f} s")
        listening.result()
        if not self._stopped:
            raise LostError(f"the daemon ended the session after {self.seconds:.0f} s")

    async def _send(self, piece: bytes) -> None:
        await self._socket.send(piece)
        self.seconds += LIVE.seconds
        self._display.sent(LIVE.seconds)

    def _take(self, message: str | bytes) -> None:
        event = self._protocol.read(message)
        if event is None:
            return
        self.transcript.take(event, self.seconds)
        if isinstance(event, Partial):
            self._display.heard(event.text)
        elif isinstance(event, Final):
            self._display.heard(event.line, final=True)

    def _is_the_end(self, closed: ConnectionClosed) -> bool:
        code = closed.rcvd.code if closed.rcvd else None
        return self._protocol.hangs_up and self._stopped and code == _NORMAL_CLOSURE


async def paced(pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The pieces at real pace. Times count from the first piece, so that no error adds up."""
    clock = asyncio.get_running_loop().time
    async with contextlib.aclosing(pieces):
        began, count = 0.0, 0
        async for piece in pieces:
            began = began or clock()
            await asyncio.sleep(max(0.0, began + count * LIVE.seconds - clock()))
            count += 1
            yield piece


async def _until(
    enough: asyncio.Event, pieces: AsyncGenerator[bytes, None]
) -> AsyncGenerator[bytes, None]:
    """The pieces until `enough` is set, also while waiting for the next one."""
    leaving = asyncio.create_task(enough.wait())
    try:
        async with contextlib.aclosing(pieces):
            while piece := await _unless(leaving, pieces):
                yield piece
    finally:
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)


async def _unless(leaving: "asyncio.Task[bool]", pieces: AsyncIterator[bytes]) -> bytes | None:
    """The next piece; None at the end, or when `leaving` is done first."""
    coming = asyncio.create_task(_next(pieces))
    try:
        await asyncio.wait((coming, leaving), return_when=asyncio.FIRST_COMPLETED)
        return None if leaving.done() else coming.result()
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)


async def _next(pieces: AsyncIterator[bytes]) -> bytes | None:
    return await anext(pieces, None)


@contextlib.contextmanager
def _interrupt(enough: asyncio.Event) -> Iterator[None]:
    """The first Ctrl-C sets `enough`; the second one interrupts as usual."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()

    def polite(*_: object) -> None:
        signal.signal(signal.SIGINT, usual)
        loop.call_soon_threadsafe(enough.set)

    usual = signal.signal(signal.SIGINT, polite)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
