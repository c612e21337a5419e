"""Several daemons on one PostgreSQL and one Redis, in the test's own process."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from coqui_server.engines.base import AnyEngine
from tests.support.daemon import Running, Start
from tests.support.live import Obstacle
from tools import postgresql, redis

Several = Callable[..., AbstractAsyncContextManager[list[Running]]]
"""Starts so many: `async with several(2, "HOCON") as (one, two)`."""


def starter(start: Start, database: postgresql.Server, shared: redis.Server) -> Several:
    """Starts daemons "a", "b" … on one empty database; `each` has more configuration for each."""

    @asynccontextmanager
    async def several(
        count: int,
        configuration: str = "",
        engine: AnyEngine | None = None,
        each: Sequence[str] = ("",) * 6,
    ) -> AsyncIterator[list[Running]]:
        shares = f'store.url = "{database.create()}"\ncluster.redis = "{shared.url}"'
        async with AsyncExitStack() as stack:
            yield [
                await stack.enter_async_context(
                    start(
                        engine or Obstacle(),
                        f"{shares}\ncluster.replica = {name}\n{configuration}\n{own}",
                        console=True,
                    )
                )
                for name, own in zip("abcdef"[:count], each, strict=False)
            ]

    return several
