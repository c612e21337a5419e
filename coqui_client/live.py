"""Sound to the daemon while it is heard, and what is said in it back, over a WebSocket."""

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
from coqui_client.captions import Audience
from coqui_client.connection import connected, without_reply
from coqui_client.dialects import Dialect, Final, Partial
from coqui_client.exceptions import ClientError, LostError
from coqui_client.reply import Reply
from coqui_client.said import Said
from coqui_client.sound import LIVE

PATIENCE_SECONDS = 60.0
"""How long the last words may take; an utterance is 20 s of sound at most."""

_NORMAL_CLOSURE = 1000


@dataclass(frozen=True)
class Source:
    """Where sound comes from.

    Attributes:
        open: begins it: messages of `sound.LIVE` no faster than they are spoken.
        endless: it goes on until Ctrl-C, which is no failure then.
    """

    open: Callable[[], AsyncGenerator[bytes, None]]
    endless: bool


def of_file(path: Path) -> Source:
    """A file at the pace it would be heard at; raises as `sound.frames`."""
    return Source(lambda: paced(sound.frames(path, LIVE)), endless=False)


def of_microphone(name: str) -> Source:
    """The microphone called `name`, or the system's if that is empty."""
    return Source(lambda: microphone.listen(name, LIVE), endless=True)


async def transcribe(source: Source, url: str, dialect: Dialect, audience: Audience) -> Reply:
    """Send `source` to the daemon at `url` and tell `audience` what is said in it.

    What was said before a failure is not lost: the reply then has `incomplete`, the
    reason. The times are seconds from the start of the sound. Cancelling leaves nothing behind.

    Raises:
        OSError: the file cannot be opened, or the audience takes no more.
        SoundError: ffmpeg makes no sound of it.
        UnreachableError: nobody answers at `url`.
        BusyError: there is no room now.
        RefusedError: the daemon cannot serve this, or failed.
        LostError: the connection ended before all was said.
        ReplyError: the messages are not those of the protocol.
    """
    async with connected(url) as socket:
        talk = _Talk(socket, dialect, audience)
        listening = asyncio.create_task(talk.listen())
        try:
            await talk.speak(source)
            await talk.hear_out(listening)
        except ClientError as failure:
            if not talk.said:
                raise
            return talk.said.reply(talk.seconds, str(failure))
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
    return talk.said.reply(talk.seconds)


class _Talk:
    """One session: the sending side and the listening side.

    Attributes:
        said: what was heard of it.
        seconds: of sound that were sent.
    """

    def __init__(self, socket: ClientConnection, dialect: Dialect, audience: Audience) -> None:
        self.said = Said()
        self.seconds = 0.0
        self._socket = socket
        self._dialect = dialect
        self._audience = audience
        # Set by Ctrl-C, and when there is nothing more to hear.
        self._enough = asyncio.Event()
        self._heard_out = False
        self._stopped = False

    async def listen(self) -> None:
        """Take messages until there are no more to come."""
        try:
            while not self.said.ended:
                self._take(await self._socket.recv())
        except ConnectionClosed as closed:
            if not self._is_the_end(closed):
                raise without_reply(closed) from closed
        finally:
            self._heard_out = True
            self._enough.set()

    async def speak(self, source: Source) -> None:
        """Send the sound to its end, to Ctrl-C if it has none, or until nobody listens."""
        self._audience.listening()
        with contextlib.suppress(ConnectionClosed):
            if opening := self._dialect.opening(self._audience.interim):
                await self._socket.send(opening)
            with _interrupt(self._enough) if source.endless else contextlib.nullcontext():
                async with contextlib.aclosing(_until(self._enough, source.open())) as pieces:
                    async for piece in pieces:
                        await self._send(piece)
            if not self._heard_out:
                self._stopped = True
                await self._socket.send(self._dialect.closing)

    async def hear_out(self, listening: "asyncio.Task[None]") -> None:
        """Wait for the last words."""
        await asyncio.wait((listening,), timeout=PATIENCE_SECONDS)
        if not listening.done():
            raise LostError(f"the daemon did not end the session in {PATIENCE_SECONDS:.0f} s")
        listening.result()
        if not self._stopped:
            raise LostError(f"the daemon ended the session after {self.seconds:.0f} s")

    async def _send(self, piece: bytes) -> None:
        await self._socket.send(piece)
        self.seconds += LIVE.seconds
        self._audience.sent(LIVE.seconds)

    def _take(self, message: str | bytes) -> None:
        event = self._dialect.read(message)
        if event is None:
            return
        self.said.take(event, self.seconds)
        if isinstance(event, Partial | Final):
            self._audience.heard(event.text, final=isinstance(event, Final))

    def _is_the_end(self, closed: ConnectionClosed) -> bool:
        code = closed.rcvd.code if closed.rcvd else None
        return self._dialect.hangs_up and self._stopped and code == _NORMAL_CLOSURE


async def paced(pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The pieces, each when it is due, counted from the first so that none drifts."""
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
    """The pieces until it is enough, also while one is waited for."""
    leaving = asyncio.create_task(enough.wait())
    try:
        async with contextlib.aclosing(pieces):
            while piece := await _unless(leaving, pieces):
                yield piece
    finally:
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)


async def _unless(leaving: "asyncio.Task[bool]", pieces: AsyncIterator[bytes]) -> bytes | None:
    """The next piece, unless there is none or `leaving` is done."""
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
    """Let the first Ctrl-C say that it is enough; the second is what it always is."""
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
