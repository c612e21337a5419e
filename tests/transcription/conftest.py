"""Remote engines with stand-ins of their services."""

from tests.support.remote_engines import make, one_authority, pauses, service

__all__ = ["make", "one_authority", "pauses", "service"]
