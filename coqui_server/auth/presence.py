"""What principals have open, so that it is closed when their sign-in ends."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from coqui_server.principal import Principal


@dataclass(frozen=True)
class Ended:
    """Sign-ins of a user that have ended: all with a cookie, those with one `token`, or all."""

    user: str
    token: int | None = None
    all: bool = False

    def covers(self, principal: Principal) -> bool:
        """Whether the sign-in of this principal is one of them."""
        same = self.all or principal.token == self.token
        return principal.user == self.user and same


Leave = Callable[[], Awaitable[None]]
"""Closes what was opened."""


@dataclass(eq=False)
class _Visit:
    principal: Principal
    leave: Leave
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Presence:
    """Knows the open connections of every principal.

    Attributes:
        tell: tells other servers which sign-ins have ended; None for one server alone.
    """

    def __init__(self) -> None:
        self.tell: Callable[[Ended], None] | None = None
        self._visits: set[_Visit] = set()
        self._expelling: set[asyncio.Task[None]] = set()

    @contextmanager
    def entered(self, principal: Principal, leave: Leave) -> Iterator[None]:
        """Count something that is open during the block.

        Args:
            leave: closes it, so that the block ends soon.
        """
        visit = _Visit(principal, leave)
        self._visits.add(visit)
        try:
            yield
        finally:
            self._visits.remove(visit)
            visit.over.set()

    def expel(self, ended: Ended) -> "asyncio.Task[None]":
        """Close what was opened by sign-ins that have ended, here and at other servers.

        Returns the task that does it here; it ends when all is closed. Nobody has to wait for it.
        """
        if self.tell:
            self.tell(ended)
        return self.close_those(ended.covers)

    def close_those(self, among: Callable[[Principal], bool]) -> "asyncio.Task[None]":
        """Close what these principals have open here, as `expel`."""
        visits = [visit for visit in self._visits if among(visit.principal)]
        task = asyncio.create_task(_close(visits))
        self._expelling.add(task)
        task.add_done_callback(self._expelling.discard)
        return task

    @property
    def principals(self) -> set[Principal]:
        """Who has something open here."""
        return {visit.principal for visit in self._visits}

    async def close(self) -> None:
        """Wait for all that is being closed."""
        await asyncio.gather(*self._expelling)


async def _close(visits: list[_Visit]) -> None:
    await asyncio.gather(*(visit.leave() for visit in visits))
    await asyncio.gather(*(visit.over.wait() for visit in visits))
