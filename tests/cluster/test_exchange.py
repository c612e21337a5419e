"""The subscribers of each server get the events of all, whatever becomes of Redis."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from coqui_server.transcription import exchange
from coqui_server.transcription.events import Final, Source
from coqui_server.transcription.exchange import Exchange
from coqui_server.transcription.hub import Hub, Subscription
from coqui_transcript.transcript import Segment
from tests.cluster.made import processes
from tests.support.live import until
from tools.redis import Server

pytestmark = pytest.mark.process

HERE, THERE = Source("s1", "live", owner="anna"), Source("s2", "live", owner="bert")
MISSED = {"event": "missed", "count": None}


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, it is not taken for a Redis that is away."""
    monkeypatch.setattr(exchange, "_OVERDUE", 3600)


@asynccontextmanager
async def servers(redis: Server, count: int = 2) -> AsyncIterator[list[Exchange]]:
    """The exchanges of so many servers."""
    async with processes(redis, count) as all_news, AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Exchange(Hub(), news)) for news in all_news]


async def say(server: Exchange, source: Source, *texts: str) -> None:
    """Finals of a session of this server."""
    for text in texts:
        await server._hub(Final(source, Segment(1.0, 2.0, text)))


async def texts(subscription: Subscription, count: int) -> Sequence[str]:
    """The texts of the next events."""
    return [str((await anext(subscription)).get("text", "missed")) for _ in range(count)]


async def test_subscribers_of_all_servers_get_the_same(redis: Server) -> None:
    """In one order, with one id each; one who goes to another server goes on there, and one who is
    limited to an owner stays so."""
    async with servers(redis, 3) as (one, two, three):
        with (
            one._hub.subscribed({}) as first,
            two._hub.subscribed({}) as second,
            two._hub.subscribed({"owner": "bert"}) as bert,
        ):
            for number in range(3):
                await say(one, HERE, f"here {number}")
                await say(two, THERE, f"there {number}")
            seen = [await anext(first) for _ in range(6)]
            assert [await anext(second) for _ in range(6)] == seen
            assert await texts(bert, 3) == ["there 0", "there 1", "there 2"]
        with three._hub.subscribed({}) as late:
            await say(one, HERE, "more")
            await texts(late, 1)
        with three._hub.resumed({}, seen[2]["id"]) as again:
            expected = [*(message["text"] for message in seen[3:]), "more"]
            assert await texts(again, 4) == expected


async def test_while_redis_is_away_each_server_tells_its_own(
    redis: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, and without an id. The others are told later, and nobody is told twice."""
    async with servers(redis) as (one, two):
        with one._hub.subscribed({}) as first, two._hub.subscribed({}) as second:
            await say(one, HERE, "before")
            known = (await anext(first))["id"]
            assert await texts(second, 1) == ["before"]
            redis.stop()
            monkeypatch.setattr(exchange, "_OVERDUE", 0.05)
            await say(one, HERE, "a", "b")
            await say(two, THERE, "c")
            told = [await anext(first) for _ in range(2)]
            assert [message["id"] for message in told] == [None, None]
            assert [message["text"] for message in told] == ["a", "b"]
            assert await texts(second, 1) == ["c"]
            assert one.alone
            await say(one, HERE, "d")
            assert await texts(first, 1) == ["d"]
            redis.start()
            assert await texts(first, 1) == ["c"]
            assert await texts(second, 3) == ["a", "b", "d"]
            await until(lambda: not one._under_way)
            with two._hub.resumed({}, known) as again:
                assert sorted(await texts(again, 4)) == ["a", "b", "c", "d"]


async def test_afterwards_all_is_as_before(redis: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """As soon as an own event comes back in time, own events wait for their place again."""
    async with servers(redis, 1) as (one,):
        monkeypatch.setattr(exchange, "_OVERDUE", 0)
        with one._hub.subscribed({}) as first:
            await say(one, HERE, "late")
            assert (await anext(first))["id"] is None
            monkeypatch.setattr(exchange, "_OVERDUE", 3600)
            await say(one, HERE, "in time")
            assert (await anext(first))["id"] is None
            await until(lambda: not one.alone)
            await say(one, HERE, "with its place")
            assert (await anext(first))["id"] is not None


async def test_what_redis_forgot_is_missed(redis: Server) -> None:
    """By those who are there, and by those who come back."""
    async with servers(redis) as (one, two):
        with two._hub.subscribed({}) as second:
            await say(one, HERE, "before")
            known = (await anext(second))["id"]
            await until(lambda: not one._news._waiting)
            redis.stop(forget=True)
            redis.start()
            await say(one, HERE, "after")
            assert await texts(second, 2) == ["missed", "after"]
        with two._hub.resumed({}, known) as again:
            assert await anext(again) == MISSED


async def test_at_the_end_subscribers_have_been_told_all(
    redis: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if Redis is away."""
    async with servers(redis, 1) as (one,):
        for away in (False, True):
            if away:
                redis.stop()
                monkeypatch.setattr(exchange, "_OVERDUE", 0.05)
            with one._hub.subscribed({}) as first:
                await say(one, HERE, "last")
                await one.settled()
                assert first._messages[-1]["text"] == "last"
