"""Somebody who watches `/ws/events` and commands there, for the tests of calls."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.support.clips import spoken
from tests.support.daemon import Running

Message = dict[str, Any]


class Viewer:
    """One events socket, and all that came on it so far, answers to commands apart."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.events: list[Message] = []
        self._asked = 0

    async def until(self, event: str, count: int = 1, **values: Any) -> Message:
        """Read on to the `count`th event in all that is called so and has these values."""
        while len(found := self.all(event, **values)) < count:
            await self.read()
        return found[count - 1]

    def all(self, event: str, **values: Any) -> list[Message]:
        """Those of the events so far that are called so and have these values."""
        return [
            message
            for message in self.events
            if message["event"] == event and values.items() <= message.items()
        ]

    def words(self, **values: Any) -> str:
        """All that was said by those, as `spoken`."""
        return spoken(" ".join(final["text"] for final in self.all("final", **values)))

    async def ask(self, command: str, **values: Any) -> Message:
        """Command something; the answer to it, without the mark it is known by."""
        self._asked += 1
        mark = self._asked
        await self.socket.send(json.dumps({"command": command, "request": mark, **values}))
        while (answer := await self.read()).pop("request", None) != mark:
            pass
        return answer

    async def send(self, text: str | bytes) -> Message:
        """Send a message as it is; the answer."""
        await self.socket.send(text)
        while "session" in (answer := await self.read()):
            pass
        return answer

    async def read(self) -> Message:
        """The next message, kept if it is an event."""
        message: Message = json.loads(await self.socket.recv())
        if "session" in message:
            self.events.append(message)
        return message


@asynccontextmanager
async def viewing(server: Running, query: str = "") -> AsyncIterator[Viewer]:
    """A viewer of a server, with a query such as "?kind=rtp"."""
    async with viewing_at(server.url.removeprefix("ws://"), query) as viewer:
        yield viewer


@asynccontextmanager
async def viewing_at(place: str, query: str = "") -> AsyncIterator[Viewer]:
    """A viewer of what is at a `host:port`."""
    # No pings: a test that does not read for long would not see the answers.
    address = f"ws://{place}/ws/events{query}"
    async with connect(address, compression=None, ping_interval=None) as socket:
        yield Viewer(socket)
