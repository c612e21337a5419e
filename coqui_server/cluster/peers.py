"""The servers that are there now, and what each says of itself, through a hash in Redis."""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Self

from coqui_server.cluster import scripts
from coqui_server.cluster.link import Link
from coqui_server.exceptions import ClusterFault

_PERIOD = 1.0
"""Seconds between two reports."""

_LIFE = 5
"""Seconds, by Redis's clock, after which one that reports no more is not there."""

_KEY = "coqui:servers"

Report = dict[str, Any]


class Peers:
    """Reports this server to the others, and knows theirs. Use as an async context manager.

    Args:
        run: of this server.
        report: gives what this server says of itself: JSON.

    Attributes:
        others: the last report of each other server, by its run; empty while Redis is away.
        heard: how often the others were heard of.
    """

    def __init__(self, link: Link, run: str, report: Callable[[], Report]) -> None:
        self.others: Mapping[str, Report] = {}
        self.heard = 0
        self._link = link
        self._run = run
        self._own = report
        self._report = link.redis.register_script(scripts.REPORT)

    async def __aenter__(self) -> Self:
        self._reporting = asyncio.create_task(self._report_for_ever(), name="peers")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._reporting.cancel()
        await asyncio.gather(self._reporting, return_exceptions=True)
        # Without Redis it is forgotten after `_LIFE`.
        with suppress(ClusterFault):
            async with self._link.watched() as redis:
                await redis.hdel(_KEY, self._run)

    async def hear(self) -> None:
        """Report this server, and hear the others.

        Raises:
            ClusterFault: Redis cannot be used; nobody is there then.
        """
        own = json.dumps(self._own())
        try:
            async with self._link.watched():
                there = await self._report(keys=[_KEY], args=[self._run, own, _LIFE])
        except ClusterFault:
            self.others = {}
            raise
        reports = zip(there[::2], there[1::2], strict=True)
        self.others = {run: json.loads(text) for run, text in reports if run != self._run}
        self.heard += 1

    async def _report_for_ever(self) -> None:
        while True:
            # The log has it from the link.
            with suppress(ClusterFault):
                await self.hear()
            await asyncio.sleep(_PERIOD)
