"""Redis for tests. `redis` is a fixture: the conftest of a folder that needs it imports it."""

from collections.abc import Iterator

import pytest

from tools.redis import Server, running


@pytest.fixture
def redis() -> Iterator[Server]:
    """An empty Redis; without its package the test is skipped."""
    try:
        with running() as server:
            yield server
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
