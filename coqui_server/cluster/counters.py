"""Counters that all servers share, each of which ends by itself."""

import hashlib
from collections.abc import Mapping

from coqui_server.cluster.link import Link


class Counters:
    """Counts attempts in windows of seconds, by Redis's clock.

    The window of a key begins with its first attempt. Keys are kept as hashes: they hold the
    addresses and names of people.
    """

    def __init__(self, link: Link) -> None:
        self._link = link

    async def take(self, window: float, limits: Mapping[str, int]) -> float:
        """Count an attempt for each of these keys. Returns 0, or the seconds to wait if one of them
        has had more attempts than its limit.

        Raises:
            ClusterFault: Redis cannot be used.
        """
        async with self._link.watched() as redis, redis.pipeline(transaction=True) as request:
            for key in map(_hashed, limits):
                request.set(key, 0, ex=round(window), nx=True)
                request.incr(key)
                request.pttl(key)
            answers = await request.execute()
        counts = zip(answers[1::3], answers[2::3], limits.values(), strict=True)
        return max(left / 1000 if count > limit else 0.0 for count, left, limit in counts)

    async def forgive(self, key: str) -> None:
        """Forget the attempts for a key so far. Raises as `take`."""
        async with self._link.watched() as redis:
            await redis.delete(_hashed(key))


def _hashed(key: str) -> str:
    return f"coqui:attempts:{hashlib.sha256(key.encode()).hexdigest()}"
