"""News: what happens in one process, told to all of them in one order, by a Redis stream.

https://redis.io/docs/latest/develop/data-types/streams/
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from itertools import islice
from typing import Any, Self

from coqui_server.backoff import backoff
from coqui_server.cluster import scripts
from coqui_server.cluster.entries import Entry, Gap
from coqui_server.cluster.link import Link
from coqui_server.cluster.reading import Reader
from coqui_server.exceptions import ClusterFault

_KEPT = 50_000
"""Events that the stream keeps, or a few more: Redis drops a block at a time. About 20 MB."""

_WAITING = 10_000
"""Events that wait here while Redis is away. When there are more, the oldest are dropped."""

_BATCH = 200
"""Events in one request to Redis."""

_PAUSE, _LONGEST_PAUSE = 0.2, 2.0
"""Seconds before Redis is tried again: at first, and at most."""

_FAREWELL = 2.0
"""Seconds for what is not sent yet when a process ends."""


class News:
    """The news of one topic. Use as an async context manager; leaving it sends what waits, for a
    moment.

    Args:
        sender: the run of this process.

    Attributes:
        dropped: events that were dropped because Redis was away for too long.
    """

    def __init__(self, link: Link, topic: str, sender: str, kept: int = _KEPT) -> None:
        self.sender = sender
        self.dropped = 0
        self._link = link
        self._kept = kept
        self._stream = f"coqui:news:{topic}"
        self._add = link.redis.register_script(scripts.PUBLISH)
        self._waiting: deque[str] = deque()
        # The number of the first event that waits.
        self._first = 1
        self._changed = asyncio.Event()
        self._closing = False

    async def __aenter__(self) -> Self:
        self._sending = asyncio.create_task(self._send(), name=self._stream)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing = True
        self._changed.set()
        await asyncio.wait((self._sending,), timeout=_FAREWELL)
        self._sending.cancel()
        await asyncio.gather(self._sending, return_exceptions=True)

    def publish(self, event: Mapping[str, Any]) -> int:
        """Tell an event, which is JSON, to all processes, this one too; its number among those of
        this process.

        It never waits and never fails, and each event arrives once. While Redis is away, events
        wait here, a bounded number of them; readers learn how many were dropped.
        """
        self._waiting.append(json.dumps(event))
        if len(self._waiting) > _WAITING:
            self._forget(1)
            self.dropped += 1
        self._changed.set()
        return self._first + len(self._waiting) - 1

    async def follow(self, since: str | None = None, back: int = 0) -> AsyncIterator[Entry | Gap]:
        """The events of all processes, in the order of the stream, for ever.

        It survives any loss of Redis, and says with a `Gap` what cannot be had any more.

        Args:
            since: the id of the last event that is known.
            back: without `since`, begin with so many of the latest events.
        """
        reader = Reader(self._link, self._stream, since, back)
        failures = 0
        while True:
            try:
                found = await reader.read()
                failures = 0
            except ClusterFault:
                failures += 1
                await asyncio.sleep(backoff(failures, _PAUSE, _LONGEST_PAUSE))
                continue
            for each in found:
                yield each

    async def _send(self) -> None:
        """Send what waits, until there is no more and the block is left."""
        failures = 0
        while self._waiting or not self._closing:
            if not self._waiting:
                self._changed.clear()
                await self._changed.wait()
                continue
            first, batch = self._first, list(islice(self._waiting, _BATCH))
            try:
                async with self._link.watched():
                    await self._add(
                        keys=[
                            self._stream,
                            f"{self._stream}:generation",
                            f"{self._stream}:{self.sender}",
                        ],
                        args=[self._kept, self.sender, first, *batch],
                    )
                failures = 0
            except ClusterFault:
                failures += 1
                await asyncio.sleep(backoff(failures, _PAUSE, _LONGEST_PAUSE))
                continue
            # Some may have been dropped meanwhile.
            self._forget(first + len(batch) - self._first)

    def _forget(self, count: int) -> None:
        for _ in range(count):
            self._waiting.popleft()
            self._first += 1
