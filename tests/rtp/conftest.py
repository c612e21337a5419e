"""A real server for calls; `start` is that of the protocols' tests."""

from tests.protocols.conftest import start

__all__ = ["start"]
