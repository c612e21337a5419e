"""Reads a stream of news, and finds what was lost of it."""

import json
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from coqui_server.cluster import scripts
from coqui_server.cluster.entries import Entry, Gap
from coqui_server.cluster.link import PATIENCE, Link
from coqui_server.cluster.place import BEFORE_ALL, Place

_COUNT = 500
"""Events in one answer of Redis."""

_BLOCK = PATIENCE / 2
"""Seconds that one request waits for news. An answer later than `PATIENCE` is a lost connection."""

_SENDERS = 1000
"""Senders whose last number is known: more than there are servers and workers at a time."""


_Raw = tuple[str, dict[str, str]]


class Reader:
    """One reader's place in a stream.

    Args:
        since: the last event that is known; None begins `back` events before the end.
    """

    def __init__(self, link: Link, stream: str, since: str | None, back: int) -> None:
        self._link = link
        self._stream = stream
        self._back = back
        self._place = Place.parse(since) if since else None
        self._renew = link.redis.register_script(scripts.RENEW)
        self._last: dict[str, str] | None = None
        self._numbers: OrderedDict[str, int] = OrderedDict()

    async def read(self) -> list[Entry | Gap]:
        """What comes next; empty if nothing came for a while.

        Raises:
            ClusterFault: Redis cannot be used. The next call goes on from the same place.
        """
        async with self._link.watched() as redis:
            if self._place is None:
                end = await self._end()
                self._place = Place(end.generation, max(end.number - self._back, -1))
            place = str(self._place)
            # A connection that is lost may be made again without a word: each request looks
            # whether the stream is still the same one.
            async with redis.pipeline(transaction=False) as request:
                request.xrange(self._stream, place, place)
                request.xread({self._stream: place}, count=_COUNT, block=round(1000 * _BLOCK))
                last, answer = await request.execute()
            if not self._is_last(last) and not await self._trimmed():
                return [await self._restart()]
        return [found for _, entries in answer for raw in entries for found in self._seen(raw)]

    def _is_last(self, found: list[_Raw]) -> bool:
        """Whether the event at our place is the one that was read."""
        assert self._place is not None
        return self._place.number < 0 or (bool(found) and self._last in (None, found[0][1]))

    async def _trimmed(self) -> bool:
        """Whether the event at our place is gone because there were so many after it."""
        assert self._place is not None
        first = _place(await self._link.redis.xrange(self._stream, count=1))
        return first is not None and first > self._place

    async def _restart(self) -> Gap:
        """Go on from the end of a stream that lost its newest events, as Redis may when it is
        killed. Those that came in their place have their ids; from now on ids are new."""
        assert self._place is not None
        await self._renew(keys=[f"{self._stream}:generation"], args=[self._place.generation])
        self._place, self._last = await self._end(), None
        return Gap(None)

    async def _end(self) -> Place:
        return _place(await self._link.redis.xrevrange(self._stream, count=1)) or BEFORE_ALL

    def _seen(self, raw: _Raw) -> Iterator[Entry | Gap]:
        """The event of an entry, after what is missing before it."""
        id, fields = raw
        place, sender, number = Place.parse(id), fields["sender"], int(fields["number"])
        missing = self._missing(place)
        # A sender drops its oldest events when Redis is away for long.
        dropped = number - self._numbers.get(sender, number - 1) - 1
        if missing is None or missing:
            yield Gap(missing)
        elif dropped > 0:
            yield Gap(dropped)
        self._place, self._last = place, fields
        self._numbers[sender] = number
        self._numbers.move_to_end(sender)
        if len(self._numbers) > _SENDERS:
            self._numbers.popitem(last=False)
        yield Entry(id, sender, number, json.loads(fields["event"]))

    def _missing(self, place: Place) -> int | None:
        """How many events are missing before this one; None if nobody knows."""
        assert self._place is not None
        if place.generation == self._place.generation:
            return place.number - self._place.number - 1
        return place.number if self._place == BEFORE_ALL else None


def _place(found: Any) -> Place | None:
    """The place of the one entry that was asked for, if there is one."""
    return Place.parse(found[0][0]) if found else None
