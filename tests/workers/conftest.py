"""A shop with workers, on PostgreSQL and Redis."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.redis import redis
from tests.support.stores import server
from tests.workers.shop import Shop, shop
from tools import postgresql
from tools.redis import Server

__all__ = ["redis", "server"]


@pytest.fixture
async def at(tmp_path: Path, server: postgresql.Server, redis: Server) -> AsyncIterator[Shop]:
    """A queue without workers: hire some."""
    async with shop(tmp_path, server.create(), redis) as made:
        yield made
