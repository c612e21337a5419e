"""Datagrams that were not let in: counted, and told of without flooding the log."""

import logging
from collections import Counter

from coqui_server.rtp.names import Address

PERIOD = 10.0
"""Seconds in which a reason gets one line, and another with the sum when they are over."""

_log = logging.getLogger(__name__)


class Drops:
    """Counts by reason. The first datagram of a period gets a line at once, the rest a sum."""

    def __init__(self) -> None:
        self.total: Counter[str] = Counter()
        self._told: Counter[str] = Counter()
        self._since: dict[str, float] = {}

    def count(self, reason: str, address: Address, now: float) -> None:
        """One more datagram from `address`, `reason` being what it was ("malformed")."""
        self.total[reason] += 1
        if reason not in self._since:
            self._since[reason] = now
            self._told[reason] = self.total[reason]
            _log.warning("rtp: dropped a datagram from %s:%d, %s", *address, reason)

    def summarise(self, now: float) -> None:
        """End the periods that are over."""
        for reason in [name for name, since in self._since.items() if now - since >= PERIOD]:
            del self._since[reason]
            if more := self.total[reason] - self._told[reason]:
                _log.warning("rtp: dropped %d more datagrams, %s", more, reason)
