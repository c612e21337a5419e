"""The hub: every session's events to all subscribers, without waiting for any of them."""

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from coqui_server.transcription import messages
from coqui_server.transcription.events import Event
from coqui_server.transcription.messages import Message

_BACKLOG = 1000
"""Messages kept for a subscriber that is slow to read; some minutes of a busy call."""


class Subscription:
    """The messages of one subscriber: an async iterator that ends when the hub closes.

    A subscriber that falls more than the backlog behind is told how many it did not get, with
    `{"event": "missed", "count": n}` in their place.
    """

    def __init__(self, filters: Mapping[str, str | None]) -> None:
        self._filters = filters
        self._messages: deque[Message] = deque()
        self._missed = 0
        self._closed = False
        self._arrived = asyncio.Event()

    def offer(self, message: Message) -> None:
        """Queue a message, if it passes the filters."""
        if any(message[key] != value for key, value in self._filters.items()):
            return
        if len(self._messages) < _BACKLOG:
            if self._missed:
                self._messages.append(self._gap())
            self._messages.append(message)
        else:
            self._missed += 1
        self._arrived.set()

    def close(self) -> None:
        """End the iteration after what is queued."""
        self._closed = True
        self._arrived.set()

    def __aiter__(self) -> "Subscription":
        return self

    async def __anext__(self) -> Message:
        while not self._messages:
            if self._missed:
                return self._gap()
            if self._closed:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        return self._messages.popleft()

    def _gap(self) -> Message:
        count, self._missed = self._missed, 0
        return {"event": "missed", "count": count}


class Announcer:
    """Passes messages on to all subscribers, without waiting for any of them."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()
        self._closed = False

    def tell(self, message: Message) -> None:
        """Offer a message to every subscriber."""
        for subscription in self._subscriptions:
            subscription.offer(message)

    @contextmanager
    def subscribed(self, filters: Mapping[str, str | None]) -> Iterator[Subscription]:
        """A subscription to the messages in which each of these keys has this value."""
        subscription = Subscription(filters)
        if self._closed:
            subscription.close()
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    def close(self) -> None:
        """There will be no more messages."""
        self._closed = True
        for subscription in self._subscriptions:
            subscription.close()


class Hub(Announcer):
    """A sink for all sessions that passes their events on to subscribers."""

    async def __call__(self, event: Event) -> None:
        if self._subscriptions:
            self.tell(messages.message(event))
