"""Several servers that share the work: what each of them knows of the others, through Redis.

Without `cluster.redis` there is no `Cluster`, and nothing of this is imported but this module.

    async with cluster.opened(settings.cluster) as shared:
        if shared:
            news = await shared.news("jobs")
            news.publish({"job": 5, "state": "completed"})
            async for entry in news.follow():
                ...
"""

import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from coqui_server import extras
from coqui_server.config.cluster import ClusterSettings

if TYPE_CHECKING:
    from coqui_server.cluster.counters import Counters
    from coqui_server.cluster.link import Link
    from coqui_server.cluster.news import News
    from coqui_server.cluster.peers import Peers, Report
    from coqui_server.cluster.questions import Answering, Questions


class Cluster:
    """This process among the others.

    Attributes:
        name: what it is called (`cluster.replica`).
        run: the name and what tells this start from all others; never used again.
        link: the connection to Redis.
    """

    def __init__(self, name: str, link: "Link", parts: AsyncExitStack) -> None:
        self.name = name
        self.run = f"{name}/{uuid.uuid4().hex[:12]}"
        self.link = link
        self._parts = parts
        self._news: dict[str, News] = {}
        self._peers: Peers | None = None

    @property
    def counters(self) -> "Counters":
        """Counters that all servers share."""
        from coqui_server.cluster.counters import Counters

        return Counters(self.link)

    def peers(self, report: "Callable[[], Report]") -> "Peers":
        """The servers that are there; `report` gives what this one says of itself."""
        from coqui_server.cluster.peers import Peers

        self._peers = Peers(self.link, self.run, report)
        return self._peers

    def questions(self, answering: "Answering") -> "Questions":
        """What servers ask each other; `answering` answers what this one is asked."""
        from coqui_server.cluster.questions import Questions

        return Questions(self.link, self.run, answering)

    @property
    def health(self) -> dict[str, Any]:
        """The state for `/health`."""
        return {
            "replica": self.name,
            "redis": "ok" if self.link.up else "away",
            "servers": 1 + (len(self._peers.others) if self._peers else 0),
        }

    @property
    def dropped(self) -> int:
        """Events that the others will not hear of, because Redis was away for too long."""
        return sum(news.dropped for news in self._news.values())

    async def news(self, topic: str) -> "News":
        """The news of a topic, such as "sessions". It is the same object for the same topic."""
        from coqui_server.cluster.news import News

        if topic not in self._news:
            opening = News(self.link, topic, self.run)
            self._news[topic] = await self._parts.enter_async_context(opening)
        return self._news[topic]


@asynccontextmanager
async def opened(settings: ClusterSettings) -> AsyncIterator[Cluster | None]:
    """What connects this process to the others; None where `cluster.redis` is not set.

    It does not wait for Redis: a server starts and works without it, and finds it later.

    Raises:
        ConfigError: the address cannot be used, or the package for it is not installed.
    """
    if settings.url is None:
        yield None
        return
    async with _link(settings.url) as link, AsyncExitStack() as parts:
        yield Cluster(settings.name, link, parts)


def check(settings: ClusterSettings) -> None:
    """Check what can be checked without Redis. Raises as `opened`."""
    if settings.url is not None:
        _link(settings.url)


def _link(url: str) -> "Link":
    for missing in extras.missing("cluster"):
        raise missing
    from coqui_server.cluster.link import Link

    return Link(url)
