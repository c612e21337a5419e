"""Several processes on one Redis, in the test's own."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from coqui_server.cluster.link import Link
from coqui_server.cluster.news import News
from tools.redis import Server


@asynccontextmanager
async def processes(redis: Server, count: int, kept: int = 1000) -> AsyncIterator[list[News]]:
    """The news of one topic, as so many processes have it: "a", "b" …."""
    async with AsyncExitStack() as stack:
        links = [await stack.enter_async_context(Link(redis.url)) for _ in range(count)]
        yield [
            await stack.enter_async_context(News(link, "test", name, kept))
            for link, name in zip(links, "abcdef", strict=False)
        ]
