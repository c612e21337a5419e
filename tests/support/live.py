"""Clients of the live protocols, written as real ones are, and what tests need to drive them."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from coqui_server.engines.base import Capabilities, Hypothesis, Options
from coqui_server.media.samples import Samples
from coqui_transcript.transcript import Word
from tests.support.daemon import Running

Message = dict[str, Any]


def pieces(data: bytes, size: int) -> list[bytes]:
    """The bytes in messages of `size`; the last has what is left."""
    return [data[start : start + size] for start in range(0, len(data), size)]


@dataclass
class Client:
    """A client that keeps every message it receives."""

    socket: ClientConnection
    received: list[Message] = field(default_factory=list)

    async def send(self, message: Message) -> None:
        """Send a text message."""
        await self.socket.send(json.dumps(message))

    async def send_sound(self, sound: bytes | Samples, size: int = 6400) -> None:
        """Send sound, in messages of 0.2 s unless told otherwise."""
        data = sound if isinstance(sound, bytes) else sound.tobytes()
        for piece in pieces(data, size):
            await self.socket.send(piece)

    async def next(self) -> Message:
        """The next message from the server."""
        message: Message = json.loads(await self.socket.recv())
        self.received.append(message)
        return message

    async def until(self, **values: object) -> Message:
        """Read on until a message has all these values."""
        while True:
            message = await self.next()
            if values.items() <= message.items():
                return message

    def answer_no_pings(self) -> None:
        """Be as dead as a machine that was switched off, as far as pings can tell."""
        send = self.socket.protocol.send_frame

        def send_frame(frame: Frame) -> None:
            if frame.opcode is not Opcode.PONG:
                send(frame)

        self.socket.protocol.send_frame = send_frame  # type: ignore[method-assign]

    def pongs(self) -> list[Frame]:
        """The answers to pings, added to the list as they are sent."""
        sent: list[Frame] = []
        send = self.socket.protocol.send_frame

        def send_frame(frame: Frame) -> None:
            if frame.opcode is Opcode.PONG:
                sent.append(frame)
            send(frame)

        self.socket.protocol.send_frame = send_frame  # type: ignore[method-assign]
        return sent

    async def closed(self) -> tuple[int | None, str | None]:
        """Read to the end; the close code and its reason."""
        try:
            while True:
                await self.next()
        except ConnectionClosed:
            return self.socket.close_code, self.socket.close_reason


@asynccontextmanager
async def client(server: Running, path: str, **options: Any) -> AsyncIterator[Client]:
    """A connected client of one of the live protocols."""
    async with connect(server.url + path, compression=None, **options) as socket:
        yield Client(socket)


async def until(condition: Callable[[], object]) -> None:
    """Wait until something is so; the test's own time limit is the only clock."""
    while not condition():
        await asyncio.sleep(0.005)


@dataclass
class Obstacle:
    """An engine that can be held up, can fail, and gives any text: no real one does on demand."""

    name: str = "obstacle"
    model: str = "none"
    capabilities: Capabilities = field(default_factory=Capabilities)
    text: str = "word"
    fails: bool = False
    held: bool = False
    options: list[Options] = field(default_factory=list)
    _passing: threading.Event = field(default_factory=threading.Event)

    def let_go(self) -> None:
        """Let everything through from now on."""
        self._passing.set()

    def open(self, options: Options) -> "Obstacle":
        self.options.append(options)
        return self

    def feed(self, pcm: Samples) -> None:
        assert not self.held or self._passing.wait(30)

    def partial(self) -> Hypothesis:
        return Hypothesis("")

    def finish(self) -> Hypothesis:
        if self.fails:
            raise RuntimeError("native trouble")
        return Hypothesis(self.text, (Word(self.text, 0.0, 0.1, 0.5),))
