"""The exchange: the events of the sessions of several servers, for the subscribers of each."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from coqui_server.cluster.entries import Entry, Gap
from coqui_server.transcription.hub import Hub
from coqui_server.transcription.messages import Message

if TYPE_CHECKING:
    from coqui_server.cluster.news import News

_BACK = 10_000
"""Events from before the start that are read, for subscribers that come from other servers."""

_OVERDUE = 1.0
"""Seconds in which an own event comes back. Later than that, others cannot be heard now."""

_UNDER_WAY = 10_000
"""Own events that have not come back and are remembered."""


@dataclass(frozen=True)
class _UnderWay:
    """An own event that has not come back; `due` is when it is late, by the loop's clock."""

    number: int
    due: float
    message: Message


class Exchange:
    """Sends the events of a hub through the news, and gives it those of all servers, in one order.
    Use as an async context manager.

    While Redis is away, the hub gets its own events at once and without an id, and the others'
    later.

    Attributes:
        alone: own events do not come back in time, so those of others do not come either.
    """

    def __init__(self, hub: Hub, news: "News") -> None:
        self._hub = hub
        self._news = news
        self._loop = asyncio.get_running_loop()
        self._under_way: deque[_UnderWay] = deque(maxlen=_UNDER_WAY)
        # The number of the last own event that was told before it came back.
        self._told = 0
        self.alone = False
        self._timer: asyncio.TimerHandle | None = None
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        # What the hub has told so far has no place among the events of all.
        self._hub.miss()
        self._hub.publish = self._publish
        self._following = asyncio.create_task(self._follow(), name="exchange")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._hub.publish = None
        if self._timer:
            self._timer.cancel()
        self._following.cancel()
        await asyncio.gather(self._following, return_exceptions=True)

    async def settled(self) -> None:
        """Wait until our subscribers have been told all our events."""
        while self._under_way and not self.alone:
            self._changed.clear()
            await self._changed.wait()

    def _publish(self, message: Message) -> None:
        due = self._loop.time() + _OVERDUE
        self._under_way.append(_UnderWay(self._news.publish(message), due, message))
        if self.alone:
            self._tell()
        elif self._timer is None:
            self._timer = self._loop.call_at(due, self._look)

    def _look(self) -> None:
        """Tell what is under way if the first of it is overdue; else look again when it is."""
        self._timer = None
        if not self._under_way:
            return
        if (due := self._under_way[0].due) > self._loop.time():
            self._timer = self._loop.call_at(due, self._look)
        else:
            self.alone = True
            self._tell()

    def _tell(self) -> None:
        """Tell own events that have not come back."""
        for event in self._under_way:
            if event.number > self._told:
                self._told = event.number
                self._hub.tell({"id": None, **event.message})
        self._changed.set()

    async def _follow(self) -> None:
        async for found in self._news.follow(back=_BACK):
            if isinstance(found, Gap):
                self._hub.miss()
            else:
                self._hear(found)

    def _hear(self, entry: Entry) -> None:
        message = {"id": entry.id, **entry.event}
        if entry.sender != self._news.sender:
            self._hub.tell(message)
            return
        self._returned(entry.number)
        if entry.number > self._told:
            self._hub.tell(message)
        else:
            self._hub.keep(message)

    def _returned(self, number: int) -> None:
        """An own event has come back; if it did so in time, the others can be heard."""
        while self._under_way and self._under_way[0].number <= number:
            if self._under_way.popleft().due > self._loop.time():
                self.alone = False
        if self._timer and not self._under_way:
            self._timer.cancel()
            self._timer = None
        self._changed.set()
