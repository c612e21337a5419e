"""The hub: every session's events to all subscribers, without waiting for any of them."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager

from coqui_server.cluster.place import Place
from coqui_server.exceptions import BadRequest
from coqui_server.transcription import messages
from coqui_server.transcription.events import Event, Partial
from coqui_server.transcription.messages import Message
from coqui_server.transcription.replay import Replay

_BACKLOG = 1000
"""Messages kept for a subscriber that is slow to read; some minutes of a busy call."""


class Subscription:
    """The messages of one subscriber: an async iterator that ends when the hub closes.

    A subscriber that falls more than the backlog behind is told how many it did not get, with
    `{"event": "missed", "count": n}` in their place; `count` is None if nobody knows.

    Args:
        past: messages as JSON that come before those that are offered.
        after: the last event that it knows, which may not have come here yet.
    """

    def __init__(
        self,
        filters: Mapping[str, str | None],
        past: Sequence[str] = (),
        after: Place | None = None,
    ) -> None:
        self._filters = filters
        self._past = deque(past)
        self._after = after
        self._messages: deque[Message] = deque()
        self._missed = 0
        self._closed = False
        self._arrived = asyncio.Event()

    def offer(self, message: Message) -> None:
        """Queue a message, if it passes the filters."""
        if not self._passes(message) or self._knows(message):
            return
        if len(self._messages) < _BACKLOG:
            if self._missed:
                self._messages.append(self._gap())
            self._messages.append(message)
        else:
            self._missed += 1
        self._arrived.set()

    def miss(self) -> None:
        """Say that an unknown number of messages is missing here."""
        self._messages.append({"event": "missed", "count": None})
        self._arrived.set()

    def close(self) -> None:
        """End the iteration after what is queued."""
        self._closed = True
        self._arrived.set()

    def __aiter__(self) -> "Subscription":
        return self

    async def __anext__(self) -> Message:
        while self._past:
            message: Message = json.loads(self._past.popleft())
            if self._passes(message):
                return message
        while not self._messages:
            if self._missed:
                return self._gap()
            if self._closed:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        return self._messages.popleft()

    def _passes(self, message: Message) -> bool:
        return all(message[key] == value for key, value in self._filters.items())

    def _knows(self, message: Message) -> bool:
        """Whether the subscriber has it, because it was ahead of us when it came."""
        if self._after is None or message["id"] is None:
            return False
        place = Place.parse(message["id"])
        if place.generation == self._after.generation and place <= self._after:
            return True
        self._after = None
        return False

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

    def subscribed(self, filters: Mapping[str, str | None]) -> AbstractContextManager[Subscription]:
        """A subscription to the messages in which each of these keys has this value."""
        return self._joined(Subscription(filters))

    @contextmanager
    def _joined(self, subscription: Subscription) -> Iterator[Subscription]:
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
    """A sink for all sessions that passes their events on to subscribers.

    Each message has an `id`, from which a subscriber that was away can go on.

    Attributes:
        publish: where the messages of our sessions go; they come back by `tell`, with those of
            other servers. None tells them here only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.publish: Callable[[Message], object] | None = None
        self._replay = Replay()
        self._last = Place(time.time_ns() // 1000, -1)
        self._replay.begin(self._last)

    async def __call__(self, event: Event) -> None:
        if self.publish:
            self.publish(messages.message(event))
        elif self._subscriptions or not isinstance(event, Partial):
            self._last = Place(self._last.generation, self._last.number + 1)
            self.tell({"id": str(self._last), **messages.message(event)})

    def tell(self, message: Message) -> None:
        """Offer an event to every subscriber, and keep it for those who are away.

        Its `id` is None if it has no place among the events yet; `keep` it when it has.
        """
        if message["id"] is not None:
            self.keep(message)
        super().tell(message)

    def keep(self, message: Message) -> None:
        """Keep an event that subscribers have been told."""
        self._replay.add(Place.parse(message["id"]), message)

    def miss(self) -> None:
        """Events are missing: subscribers are told, and those who come later cannot have them."""
        self._replay.forget()
        for subscription in self._subscriptions:
            subscription.miss()

    def resumed(
        self, filters: Mapping[str, str | None], since: str | None
    ) -> AbstractContextManager[Subscription]:
        """As `subscribed`, beginning after the event with the id `since`. If what came after it is
        gone, that is said first.

        Raises:
            BadRequest: it is not an id.
        """
        if since is None:
            return self.subscribed(filters)
        try:
            place = Place.parse(since)
        except ValueError as wrong:
            raise BadRequest('"from" is the id of an event') from wrong
        past = self._replay.since(place)
        if past is None:
            subscription = Subscription(filters)
            subscription.miss()
        else:
            subscription = Subscription(filters, past, place)
        return self._joined(subscription)
