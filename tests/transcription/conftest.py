"""Remote engines with stand-ins of their services; the fixtures are those of the engines' tests."""

from tests.engines.conftest import make, one_authority, pauses, service

__all__ = ["make", "one_authority", "pauses", "service"]
