"""What becomes of jobs, told to those who look on, on any server."""

import asyncio
from typing import TYPE_CHECKING, Self

from coqui_server.cluster import Cluster
from coqui_server.transcription.hub import Announcer
from coqui_server.transcription.messages import Message

if TYPE_CHECKING:
    from coqui_server.cluster.news import News


class Notices(Announcer):
    """Tells subscribers what becomes of jobs. Use as an async context manager.

    Args:
        shared: what connects this server to others and to workers; None for one server alone.
    """

    def __init__(self, shared: Cluster | None = None) -> None:
        super().__init__()
        self._shared = shared
        self._news: News | None = None

    @property
    def deaf(self) -> bool:
        """Whether others cannot be heard now."""
        return self._shared is not None and not self._shared.link.up

    async def __aenter__(self) -> Self:
        if self._shared:
            self._news = await self._shared.news("jobs")
            self._following = asyncio.create_task(self._follow(self._news), name="news of jobs")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._news:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        self.close()

    def tell(self, message: Message) -> None:
        """Offer a message to every subscriber, on this server at once."""
        self.tell_here(message)
        if self._news:
            self._news.publish(message)

    def tell_here(self, message: Message) -> None:
        """Offer a message to the subscribers of this server."""
        super().tell(message)

    async def _follow(self, news: "News") -> None:
        from coqui_server.cluster.entries import Entry

        async for item in news.follow():
            if isinstance(item, Entry) and item.sender != news.sender:
                self.tell_here(item.event)
