"""A publisher for each test."""

from collections.abc import Iterator

import pytest

from tests.models.publisher import Publisher, publishing


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    """A web site of models on the loopback."""
    with publishing() as publisher:
        yield publisher
