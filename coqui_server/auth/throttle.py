"""Limits attempts, with counters in memory of a bounded size."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

_MOST_KEYS = 10_000
"""Beyond this the least recently used counters are dropped; about 2 MB."""


@dataclass
class _Count:
    since: float
    attempts: int = 0


class Throttle:
    """At most `limit` attempts for one key in a window of seconds.

    The window begins with the first attempt. Attempts beyond the limit do not extend it.

    Args:
        clock: gives seconds of a clock that only goes up.
    """

    def __init__(
        self,
        limit: int,
        window: float,
        clock: Callable[[], float] = time.monotonic,
        most_keys: int = _MOST_KEYS,
    ) -> None:
        self._limit = limit
        self._window = window
        self._clock = clock
        self._most_keys = most_keys
        self._counts: OrderedDict[str, _Count] = OrderedDict()

    def take(self, key: str) -> float:
        """Count an attempt before it is made. Returns 0, or the seconds to wait before another."""
        now = self._clock()
        count = self._counts.get(key)
        if count is None or now - count.since >= self._window:
            count = self._counts[key] = _Count(now)
        self._counts.move_to_end(key)
        while len(self._counts) > self._most_keys:
            self._counts.popitem(last=False)
        if count.attempts >= self._limit:
            return self._window - (now - count.since)
        count.attempts += 1
        return 0.0

    def forgive(self, key: str) -> None:
        """Forget the attempts so far, after a successful one."""
        self._counts.pop(key, None)
