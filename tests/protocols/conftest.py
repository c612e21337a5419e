"""A daemon that serves the protocols, without console and store, and remote engines."""

from collections.abc import AsyncIterator

import pytest

from coqui_server.engines.base import AnyEngine
from tests.support.daemon import Running, Start, all_closed
from tests.support.remote_engines import make, one_authority, pauses, service

__all__ = ["make", "one_authority", "pauses", "service"]


@pytest.fixture
async def server(start: Start, moonshine: AnyEngine) -> AsyncIterator[Running]:
    """The server as it comes."""
    async with start(moonshine) as running:
        yield running
        await all_closed(running)
