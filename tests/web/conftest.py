"""The console in the test's own process, beside the speech port, with real engines."""

from collections.abc import AsyncIterator

import httpx
import pytest

from coqui_server.engines.base import AnyEngine
from tests.support.daemon import Running, Start, all_closed


@pytest.fixture
async def server(start: Start, moonshine: AnyEngine) -> AsyncIterator[Running]:
    """The daemon as it comes, with its console."""
    async with start(moonshine, console=True) as running:
        yield running
        await all_closed(running)


@pytest.fixture
async def web(server: Running) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the console."""
    async with server.http() as client:
        yield client
