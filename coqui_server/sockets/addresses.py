"""How many connections each address has, on all TCP ports together."""

from collections import Counter
from collections.abc import Callable


class Addresses:
    """Counts open connections; an address without any takes no memory.

    Args:
        most: connections that one address may have.
        unlimited: whether an address may have any number, as a proxy may.
    """

    def __init__(self, most: int, unlimited: Callable[[str], bool] = lambda _: False) -> None:
        self._most = most
        self._unlimited = unlimited
        self._open: Counter[str] = Counter()

    def enter(self, address: str) -> bool:
        """Count a new connection; whether the address may have it. Each needs its `leave`."""
        self._open[address] += 1
        return self._open[address] <= self._most or self._unlimited(address)

    def leave(self, address: str) -> None:
        """Forget a connection that is closed."""
        self._open[address] -= 1
        if not self._open[address]:
            del self._open[address]
