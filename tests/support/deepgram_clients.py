"""Deepgram's official client, pointed at a server of ours."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from deepgram import AsyncDeepgramClient
from deepgram.core.events import EventType
from deepgram.environment import DeepgramClientEnvironment
from deepgram.listen.v1.socket_client import AsyncV1SocketClient

from coqui_server.media.samples import Samples
from tests.support.live import pieces

Message = dict[str, Any]


@asynccontextmanager
async def sdk(address: str, key: str = "any") -> AsyncIterator[AsyncDeepgramClient]:
    """The client, with `address` (`http://host:port`) for all of Deepgram's."""
    sockets = address.replace("http:", "ws:")
    environment = DeepgramClientEnvironment(
        base=address, production=sockets, agent=sockets, agent_rest=address
    )
    async with httpx.AsyncClient(timeout=60) as http:
        yield AsyncDeepgramClient(
            api_key=key, environment=environment, httpx_client=http, max_retries=0
        )


class Stream:
    """A live connection of the client, and what it has received."""

    def __init__(self, socket: AsyncV1SocketClient) -> None:
        self.socket = socket
        self.received: list[Message] = []
        self._more = asyncio.Event()

    async def send_sound(self, sound: bytes | Samples, size: int = 6400) -> None:
        """Send sound, in messages of 0.2 s unless told otherwise."""
        data = sound if isinstance(sound, bytes) else sound.tobytes()
        for piece in pieces(data, size):
            await self.socket.send_media(piece)

    async def until(self, **values: object) -> Message:
        """Wait for a message that has all these values."""
        while True:
            for message in self.received:
                if values.items() <= message.items():
                    return message
            self._more.clear()
            await self._more.wait()

    def finals(self, channel: int = 0) -> str:
        """The final text of a channel so far."""
        texts = (
            message["channel"]["alternatives"][0]["transcript"]
            for message in self.received
            if message.get("is_final") and message["channel_index"][0] == channel
        )
        return " ".join(text for text in texts if text)

    async def end(self) -> Message:
        """Close the stream; the server's last message."""
        await self.socket.send_close_stream()
        await self.until(type="Metadata")
        return self.received[-1]

    def take(self, message: Any) -> None:
        """Keep a message, as JSON again."""
        self.received.append(json.loads(message.model_dump_json()))
        self._more.set()


@asynccontextmanager
async def listening(address: str, key: str = "any", **options: Any) -> AsyncIterator[Stream]:
    """A live connection. The server has closed it when the block ends, after `Stream.end`."""
    async with (
        sdk(address, key) as client,
        client.listen.v1.connect(model="nova-3", **options) as socket,
    ):
        stream = Stream(socket)
        socket.on(EventType.MESSAGE, stream.take)
        reading = asyncio.create_task(socket.start_listening())
        yield stream
        await reading
