"""Redis."""

from tests.support.redis import redis

__all__ = ["redis"]
