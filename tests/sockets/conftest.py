"""A daemon that takes small frames only, with an engine that needs no model."""

from collections.abc import AsyncIterator

import pytest

from tests.support.daemon import Running, Start
from tests.support.live import Obstacle


@pytest.fixture
async def tiny(start: Start) -> AsyncIterator[Running]:
    """Frames of 1000 bytes at most."""
    async with start(Obstacle(), "server.websocket.max_frame = 1000") as running:
        yield running
