"""How often somebody may try, counted in memory of a bounded size."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

_MOST_KEYS = 10_000
"""The least recently tried are forgotten first; a megabyte or two."""


@dataclass
class _Count:
    since: float
    tries: int = 0


class Throttle:
    """At most `limit` tries of one key in a window of so many seconds.

    The window begins with the first try. Trying while there is none left costs nothing more.

    Args:
        clock: seconds that only grow.
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
        """Count a try before it is made; how many seconds to wait, if it may not be."""
        now = self._clock()
        count = self._counts.get(key)
        if count is None or now - count.since >= self._window:
            count = self._counts[key] = _Count(now)
        self._counts.move_to_end(key)
        while len(self._counts) > self._most_keys:
            self._counts.popitem(last=False)
        if count.tries >= self._limit:
            return self._window - (now - count.since)
        count.tries += 1
        return 0.0

    def forgive(self, key: str) -> None:
        """Count none of the tries so far: the last was right."""
        self._counts.pop(key, None)
