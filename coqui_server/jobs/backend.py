"""Where jobs are worked on: the interface that each way to do it has.

The table of jobs says which of them wait and which run, whatever the backend. It begins those that
wait, and hears of changes sooner than the table alone would tell it.
"""

from collections.abc import Callable
from typing import Protocol

from coqui_server.store.tables import JobRow

Tell = Callable[[JobRow], object]
"""Tells those who look on what has become of a job, and of its progress."""


class Backend(Protocol):
    """Begins jobs, from `start` to `close`."""

    async def start(self) -> None:
        """Begin what waits. It does not matter whether other machines can be reached.

        Raises:
            StoreError: the table cannot be read.
        """

    def submit(self) -> None:
        """Look at the table: there may be a job to begin. It never waits."""

    def cancel(self, id: int) -> None:
        """Stop a job that was cancelled in the table, if it runs here. Others learn it there."""

    async def close(self) -> None:
        """Begin no more. What runs in this process stops and waits again."""
