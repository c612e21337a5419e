"""Limits attempts to sign in and up, against guessed passwords and automatic accounts."""

from collections.abc import Mapping
from contextlib import suppress

from coqui_server.auth.throttle import Throttle
from coqui_server.cluster import Cluster
from coqui_server.exceptions import ClusterFault, TooManyAttempts
from coqui_server.store.users import folded

_WINDOW = 15 * 60.0
"""Seconds in which attempts are counted."""

_OF_ONE, _OF_ADDRESS = 5, 50
"""Attempts for one name from one address, and for all names from one address, behind which there
may be a whole office."""


class Attempts:
    """Counts attempts: those at this server, and those at all of them, if there are several.

    While Redis is away, only those at this server count.
    """

    def __init__(self, cluster: Cluster | None = None) -> None:
        self._pairs = Throttle(_OF_ONE, _WINDOW)
        self._addresses = Throttle(_OF_ADDRESS, _WINDOW)
        self._cluster = cluster

    async def take(self, address: str, name: str) -> None:
        """Count an attempt.

        Raises:
            TooManyAttempts: there were too many.
        """
        pair = _pair(address, name)
        wait = self._addresses.take(address) or self._pairs.take(pair)
        if not wait:
            wait = await self._everywhere({address: _OF_ADDRESS, pair: _OF_ONE})
        if wait:
            raise TooManyAttempts(wait)

    async def forgive(self, address: str, name: str) -> None:
        """Forget the attempts after a successful one."""
        pair = _pair(address, name)
        self._pairs.forgive(pair)
        if self._cluster and self._cluster.link.up:
            with suppress(ClusterFault):
                await self._cluster.counters.forgive(pair)

    async def _everywhere(self, limits: Mapping[str, int]) -> float:
        """Count an attempt at all servers; the seconds to wait. A Redis that is known to be away is
        not waited for."""
        if self._cluster and self._cluster.link.up:
            with suppress(ClusterFault):
                return await self._cluster.counters.take(_WINDOW, limits)
        return 0.0


def _pair(address: str, name: str) -> str:
    return f"{address} {folded(name)}"
