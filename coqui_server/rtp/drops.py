"""Counts dropped datagrams, and logs them without flooding the log."""

import logging
from collections import Counter

from coqui_server.rtp.names import Address

PERIOD = 10.0
"""Seconds for which a reason gets one line at the start and one with the sum at the end."""

_log = logging.getLogger(__name__)


class Drops:
    """Counts by reason. The first datagram of a period is logged at once, the others as a sum."""

    def __init__(self) -> None:
        self.total: Counter[str] = Counter()
        self._logged: Counter[str] = Counter()
        self._since: dict[str, float] = {}

    def count(self, reason: str, address: Address, now: float) -> None:
        """Count a datagram from `address`; `reason` completes "dropped a datagram from …,"."""
        self.total[reason] += 1
        if reason not in self._since:
            self._since[reason] = now
            self._logged[reason] = self.total[reason]
            _log.warning("rtp: dropped a datagram from %s:%d, %s", *address, reason)

    def summarise(self, now: float) -> None:
        """Log the sums of the periods that have ended."""
        for reason in [name for name, since in self._since.items() if now - since >= PERIOD]:
            del self._since[reason]
            if more := self.total[reason] - self._logged[reason]:
                _log.warning("rtp: dropped %d more datagrams, %s", more, reason)
