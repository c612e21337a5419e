"""Trying again while the daemon is busy."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from coqui_client.exceptions import BusyError
from coqui_client.progress import Progress

RETRIES = 5

FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 30.0

Outcome = TypeVar("Outcome")


async def retried(
    attempt: Callable[[], Awaitable[Outcome]], progress: Progress, retries: int
) -> Outcome:
    """The result of `attempt`, tried again up to `retries` times while the daemon is busy.

    Between tries it waits about 1, 2, 4, ... and never more than 30 seconds.

    Raises:
        BusyError: still no room after the last try; other errors are those of `attempt`.
    """
    for retry in range(retries):
        try:
            return await attempt()
        except BusyError:
            await _pause(retry, progress)
    return await attempt()


async def _pause(retry: int, progress: Progress) -> None:
    longest = min(FIRST_DELAY_SECONDS * 2**retry, LONGEST_DELAY_SECONDS)
    # So that refused clients do not all come back at the same moment.
    delay = longest * random.SystemRandom().uniform(0.75, 1.25)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(delay):
            await progress.wait(f"the daemon is busy, trying again in {delay:.0f} s")
    progress.close()
