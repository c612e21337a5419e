"""The connection to Redis, and whether it works."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from coqui_server.exceptions import ClusterFault, ConfigError

PATIENCE = 5.0
"""Seconds to wait for Redis."""

_LOST = """\
Redis cannot be used: %s; until it is back, other servers are not heard, and attempts to sign in \
are counted at each server alone"""

_log = logging.getLogger(__name__)


class Link:
    """Commands to Redis. Use as an async context manager.

    Args:
        url: `redis://`, `rediss://` or `unix://`; it may hold a password.

    Attributes:
        redis: the client. Its connections are made when they are needed, one for each command that
            is under way. It tries nothing twice: not every command may be carried out twice.
        up: whether the last command was answered.

    Raises:
        ConfigError: the address cannot be used.
    """

    def __init__(self, url: str) -> None:
        try:
            self.redis: Redis = Redis.from_url(
                url,
                decode_responses=True,
                protocol=2,
                # Its own time limits use asyncio.wait_for, which may lose a cancellation before
                # Python 3.12. `watched` has one.
                socket_timeout=None,
                socket_connect_timeout=None,
                retry=Retry(NoBackoff(), 0),
            )
        except ValueError as wrong:
            problem = "not an address; allowed: redis://host:6379/0"
            raise ConfigError("cluster.redis", problem) from wrong
        self.up = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.redis.aclose()

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[Redis]:
        """The client, for commands that may take `PATIENCE` together and whose failure is
        `ClusterFault`. The log says when Redis is lost and when it is back."""
        try:
            async with asyncio.timeout(PATIENCE):
                yield self.redis
        except (RedisError, OSError) as error:
            reason = str(error) or f"no answer in {PATIENCE:g} s"
            if self.up:
                _log.warning(_LOST, reason)
            self.up = False
            raise ClusterFault(f"Redis cannot be used: {reason}") from error
        if not self.up:
            _log.warning("Redis is back")
        self.up = True
