"""Sign-ins that end at one of several servers, and what the others have open for them."""

import asyncio
import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Self

from coqui_server.auth.access import Access
from coqui_server.auth.presence import Ended
from coqui_server.cluster.entries import Gap
from coqui_server.exceptions import StoreError

if TYPE_CHECKING:
    from coqui_server.cluster.news import News

_log = logging.getLogger(__name__)


class Departures:
    """Tells other servers which sign-ins have ended, and closes what was opened here by those that
    ended there. Use as an async context manager.

    While Redis is away they learn it later; new requests are refused at once everywhere, because
    each is looked up in the database.
    """

    def __init__(self, access: Access, news: "News") -> None:
        self._access = access
        self._news = news

    async def __aenter__(self) -> Self:
        self._access.presence.tell = self._tell
        self._following = asyncio.create_task(self._follow(), name="departures")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._access.presence.tell = None
        self._following.cancel()
        await asyncio.gather(self._following, return_exceptions=True)

    def _tell(self, ended: Ended) -> None:
        self._news.publish(asdict(ended))

    async def _follow(self) -> None:
        async for found in self._news.follow():
            if isinstance(found, Gap):
                await self._review()
            elif found.sender != self._news.sender:
                self._access.presence.close_those(Ended(**found.event).covers)

    async def _review(self) -> None:
        """Some ends were lost: look up everybody who has something open."""
        presence = self._access.presence
        try:
            gone = {
                principal
                for principal in presence.principals
                if not await self._access.holds(principal)
            }
        except StoreError as fault:
            _log.warning("it is not known whose sign-in has ended: %s", fault)
            return
        presence.close_those(gone.__contains__)
