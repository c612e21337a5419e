"""Wyoming's own client, pointed at a server of ours."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from wyoming.asr import Transcribe
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.event import Event, Eventable
from wyoming.ping import Ping

from coqui_server.media.samples import Samples
from coqui_server.sockets.ports import address_of
from coqui_server.sockets.wyoming_port import WyomingPort
from tests.support.daemon import Running
from tests.support.live import pieces

ON = "wyoming.port = 0"
"""The configuration of a server that these clients can reach."""


def port(server: Running) -> WyomingPort:
    """The port of a server that runs with `ON`."""
    assert server.daemon.wyoming
    return server.daemon.wyoming


def place(server: Running) -> tuple[str, int]:
    """The host and the number of the port."""
    host, _, number = address_of(port(server)).rpartition(":")
    return host, int(number)


@dataclass
class Client:
    """A client that keeps every event it receives."""

    tcp: AsyncTcpClient
    received: list[Event] = field(default_factory=list)

    async def send(self, *events: Eventable) -> None:
        """Send events."""
        for event in events:
            await self.tcp.write_event(event.event())

    async def speak(
        self,
        sound: bytes | Samples,
        rate: int = 16_000,
        width: int = 2,
        channels: int = 1,
        size: int = 2048,
    ) -> None:
        """Send sound, in chunks as Home Assistant's; without their start and stop."""
        data = sound if isinstance(sound, bytes) else sound.tobytes()
        for piece in pieces(data, size):
            await self.send(AudioChunk(rate, width, channels, piece))

    async def say(self, sound: bytes | Samples, wish: Transcribe | None = None) -> str:
        """A whole utterance, with a `transcribe` or without; the text of its transcript."""
        await self.send(*([wish] if wish else []), AudioStart(16_000, 2, 1))
        await self.speak(sound)
        await self.send(AudioStop())
        transcript = await self.until("transcript")
        await self.until("transcript-stop")
        return str(transcript.data["text"])

    async def next(self) -> Event | None:
        """The next event; None when the server has closed the connection."""
        event = await self.tcp.read_event()
        if event:
            self.received.append(event)
        return event

    async def until(self, kind: str) -> Event:
        """Read on until an event of this type."""
        while event := await self.next():
            if event.type == kind:
                return event
        raise AssertionError(f"closed after {self.received}")

    async def heard(self) -> None:
        """Wait until the server has read all that was sent."""
        await self.send(Ping())
        await self.until("pong")

    async def closed(self) -> list[Event]:
        """All that was received until the server closed."""
        while await self.next():
            pass
        return self.received


@asynccontextmanager
async def client(server: Running) -> AsyncIterator[Client]:
    """A connected client."""
    tcp = AsyncTcpClient(*place(server))
    await tcp.connect()
    try:
        yield Client(tcp)
    finally:
        with suppress(ConnectionError):
            await tcp.disconnect()
