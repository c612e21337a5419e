"""Redis, PostgreSQL, and several daemons on both."""

import pytest

from tests.cluster.servers import Several, starter
from tests.support.daemon import Start
from tests.support.redis import redis
from tests.support.stores import server as postgresql_server
from tools import postgresql
from tools.redis import Server

__all__ = ["postgresql_server", "redis"]


@pytest.fixture
def several(start: Start, postgresql_server: postgresql.Server, redis: Server) -> Several:
    """Starts several daemons on one PostgreSQL and one Redis."""
    return starter(start, postgresql_server, redis)
