"""The connection to Redis, and whether it works."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from coqui_server.exceptions import ClusterFault, ConfigError

PATIENCE = 5.0
"""Seconds to wait for Redis: for a connection, and for each answer."""

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
                socket_timeout=PATIENCE,
                socket_connect_timeout=PATIENCE,
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

    @contextmanager
    def watched(self) -> Iterator[Redis]:
        """The client, for commands whose failure is `ClusterFault`. The log says when it is lost
        and when it is back."""
        try:
            yield self.redis
        except (RedisError, OSError) as error:
            if self.up:
                _log.warning("Redis cannot be used: %s; other servers are not heard", error)
            self.up = False
            raise ClusterFault(f"Redis cannot be used: {error}") from error
        if not self.up:
            _log.warning("Redis is back")
        self.up = True
