"""OpenAI's official client of the Realtime protocol, pointed at a server of ours."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import soxr
from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from websockets.exceptions import ConnectionClosed

from coqui_server.media.samples import SAMPLE_RATE, Samples
from tests.support.live import pieces

Event = dict[str, Any]

RATE = 24_000
"""Hertz of the sound that OpenAI's clients send."""

TRANSCRIPTION = "conversation.item.input_audio_transcription"


def sound_of(pcm: Samples) -> bytes:
    """The sound of 16 kHz samples as OpenAI's clients send it."""
    heard = soxr.resample(pcm.astype(np.float32), SAMPLE_RATE, RATE)
    return bytes(np.rint(heard).clip(-32768, 32767).astype("<i2").tobytes())


class Talk:
    """A connection of the client, and what it has received.

    Attributes:
        events: as the client's types have read them, as JSON again.
    """

    def __init__(self, connection: AsyncRealtimeConnection) -> None:
        self.connection = connection
        self.events: list[Event] = []
        self._more = asyncio.Event()

    async def configure(self, *, include: Any = (), **input: Any) -> Event:
        """Update the session with these values of `audio.input`; how it is then."""
        session: Any = {"type": "transcription", "audio": {"input": input}, "include": [*include]}
        await self.connection.session.update(session=session)
        updated = await self.until("session.updated")
        self.events.remove(updated)
        return dict(updated["session"]["audio"]["input"])

    async def say(self, sound: bytes | Samples, size: int = 4800) -> None:
        """Send sound, 0.1 s in each event unless told otherwise."""
        data = sound if isinstance(sound, bytes) else sound_of(sound)
        for piece in pieces(data, size):
            coded = base64.b64encode(piece).decode()
            await self.connection.input_audio_buffer.append(audio=coded)

    async def commit(self) -> Event:
        """Commit; the event with the text of the turn."""
        already = len(self.texts())
        await self.connection.input_audio_buffer.commit()
        while len(self.texts()) == already:
            await self._wait()
        return self.texts()[-1]

    async def until(self, kind: str, count: int = 1) -> Event:
        """Wait for so many events of a kind; the last of them."""
        while len(self.all(kind)) < count:
            await self._wait()
        return self.all(kind)[count - 1]

    def all(self, kind: str) -> list[Event]:
        """The events of a kind so far."""
        return [event for event in self.events if event["type"] == kind]

    def texts(self) -> list[Event]:
        """The events with whole texts so far."""
        return self.all(f"{TRANSCRIPTION}.completed")

    def deltas(self, item: str) -> str:
        """All deltas of an item together."""
        told = self.all(f"{TRANSCRIPTION}.delta")
        return "".join(event["delta"] for event in told if event["item_id"] == item)

    async def read(self) -> None:
        """Keep what comes, until the connection is closed."""
        try:
            async for event in self.connection:
                self.events.append(
                    json.loads(event.model_dump_json(exclude_unset=True, warnings=False))
                )
                self._more.set()
        except ConnectionClosed:
            pass

    async def _wait(self) -> None:
        self._more.clear()
        await self._more.wait()


@asynccontextmanager
async def talking(address: str, key: str = "any", **query: str) -> AsyncIterator[Talk]:
    """A connection for transcription. `address` is `http://host:port`, of either port."""
    wishes: Any = {"intent": "transcription", **query}
    async with (
        AsyncOpenAI(base_url=f"{address}/v1", api_key=key, max_retries=0) as client,
        client.realtime.connect(extra_query=wishes) as connection,
    ):
        talk = Talk(connection)
        reading = asyncio.create_task(talk.read())
        try:
            yield talk
        finally:
            await connection.close()
            await reading
