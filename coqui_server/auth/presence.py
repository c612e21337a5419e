"""What principals have open, so that it is closed when their sign-in ends."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from coqui_server.principal import Principal

Leave = Callable[[], Awaitable[None]]
"""Closes what was opened."""


@dataclass(eq=False)
class _Visit:
    principal: Principal
    leave: Leave
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Presence:
    """Knows the open connections of every principal."""

    def __init__(self) -> None:
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

    def expel(self, user: str, among: Callable[[Principal], bool]) -> "asyncio.Task[None]":
        """Close what a user has open, if its principal is `among` those whose sign-in has ended.

        Returns the task that does it; it ends when all is closed. Nobody has to wait for it.
        """
        visits = [
            visit
            for visit in self._visits
            if visit.principal.user == user and among(visit.principal)
        ]
        task = asyncio.create_task(_close(visits))
        self._expelling.add(task)
        task.add_done_callback(self._expelling.discard)
        return task

    async def close(self) -> None:
        """Wait for all that is being closed."""
        await asyncio.gather(*self._expelling)


async def _close(visits: list[_Visit]) -> None:
    await asyncio.gather(*(visit.leave() for visit in visits))
    await asyncio.gather(*(visit.over.wait() for visit in visits))
