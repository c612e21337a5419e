"""What one process tells reaches all of them, in one order, once; and what is lost is said."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from coqui_server import cluster
from coqui_server.cluster import news as news_module
from coqui_server.cluster import reading
from coqui_server.cluster.entries import Entry, Gap
from coqui_server.cluster.link import Link
from coqui_server.cluster.news import News
from coqui_server.config.cluster import ClusterSettings
from coqui_server.exceptions import ConfigError
from tests.cluster.made import processes
from tests.support.live import until
from tools.redis import Server

Followed = AsyncIterator[Entry | Gap]

pytestmark = pytest.mark.process


async def entry(followed: Followed) -> Entry:
    """The next event, before which nothing is missing."""
    found = await anext(followed)
    assert isinstance(found, Entry)
    return found


async def events(followed: Followed, count: int) -> list[tuple[str, object]]:
    """The next events: who told each, and its number in this test."""
    return [((found := await entry(followed)).sender, found.event["n"]) for _ in range(count)]


async def sent(news: News) -> None:
    """Wait until all that was told is in Redis."""
    await until(lambda: not news._waiting)


async def test_all_get_the_events_of_all_in_the_same_order(redis: Server) -> None:
    """Also those of a process that comes later and asks for what was before, or goes on."""
    async with processes(redis, 3) as (first, second, third):
        for number in range(5):
            first.publish({"n": number})
            second.publish({"n": number})
        await sent(first)
        await sent(second)
        whole = await events(first.follow(back=10), 10)
        assert sorted(whole) == sorted((sender, n) for sender in "ab" for n in range(5))
        assert [n for sender, n in whole if sender == "a"] == [*range(5)]
        followed = third.follow(back=4)
        last = [await entry(followed) for _ in range(4)]
        assert [(one.sender, one.event["n"]) for one in last] == whole[-4:]
        assert await events(second.follow(since=last[1].id), 2) == whole[-2:]


async def test_nothing_is_lost_or_told_twice_while_redis_is_away(redis: Server) -> None:
    """What is told meanwhile comes later. A request whose answer was lost is not carried out
    twice."""
    async with processes(redis, 2) as (first, second):
        followed = second.follow(back=10)
        first.publish({"n": 0})
        assert await events(followed, 1) == [("a", 0)]
        redis.stop()
        first.publish({"n": 1})
        second.publish({"n": 2})
        await until(lambda: not first._link.up and not second._link.up)
        first._first -= 1
        first._waiting.appendleft('{"n": 0}')
        redis.start()
        assert sorted(await events(followed, 2)) == [("a", 1), ("b", 2)]
        first.publish({"n": 3})
        assert await events(followed, 1) == [("a", 3)]


async def test_a_redis_that_forgot_is_a_gap(redis: Server) -> None:
    """Nobody knows how large. Ids of before are not used again."""
    async with processes(redis, 1) as (news,):
        followed = news.follow()
        news.publish({"n": 0})
        before = (await entry(followed)).id
        await sent(news)
        redis.stop(forget=True)
        redis.start()
        news.publish({"n": 1})
        assert await anext(followed) == Gap(None)
        after = await entry(followed)
        assert after.event == {"n": 1}
        assert after.id.partition("-")[0] > before.partition("-")[0]
        late = news.follow(since=before)
        assert await anext(late) == Gap(None)
        assert await entry(late) == after


async def test_a_redis_that_lost_its_newest_events_is_a_gap(redis: Server) -> None:
    """As after a kill without `appendfsync always`. Others have told something since, under the
    same id; from then on ids are new."""
    async with processes(redis, 2) as (first, second):
        followed = second.follow(back=10)
        for number in range(3):
            first.publish({"n": number})
        seen = [await entry(followed) for _ in range(3)]
        await sent(first)
        redis.stop()
        redis.start()
        async with Link(redis.url) as link:
            kept: Any = await link.redis.xrange("coqui:news:test", max=seen[1].id)
            await link.redis.delete("coqui:news:test")
            for id, fields in kept:
                await link.redis.xadd("coqui:news:test", fields, id=id)
        first.publish({"n": "another"})
        await sent(first)
        assert await anext(followed) == Gap(None)
        first.publish({"n": "next"})
        assert await anext(followed) == Gap(None)
        found = await entry(followed)
        assert found.event == {"n": "next"}
        assert found.id > seen[2].id


async def test_a_reader_that_was_away_for_too_long_is_told_how_much_it_missed(
    redis: Server,
) -> None:
    """The stream keeps the newest events only, a block of them more at most."""
    async with processes(redis, 1, kept=100) as (news,):
        news.publish({"n": 0})
        begin = (await entry(news.follow(back=1))).id
        for number in range(1, 1000):
            news.publish({"n": number})
        await sent(news)
        followed = news.follow(since=begin)
        gap, oldest = await anext(followed), await entry(followed)
        assert isinstance(gap, Gap)
        assert gap.count
        assert gap.count == oldest.event["n"] - 1
        assert 700 < gap.count < 900


async def test_what_a_sender_dropped_is_a_gap(
    redis: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While Redis is away, its buffer is bounded."""
    monkeypatch.setattr(news_module, "_WAITING", 3)
    async with processes(redis, 1) as (news,):
        followed = news.follow(back=1)
        news.publish({"n": 0})
        await entry(followed)
        await sent(news)
        redis.stop()
        for number in range(1, 9):
            news.publish({"n": number})
        redis.start()
        assert await anext(followed) == Gap(5)
        assert await events(followed, 3) == [("a", 6), ("a", 7), ("a", 8)]
        assert news.dropped == 5


async def test_a_full_redis_is_waited_for(redis: Server) -> None:
    """It says so; what is told meanwhile comes when there is room again."""
    async with processes(redis, 1) as (news,):
        await news._link.redis.config_set("maxmemory", 1)
        news.publish({"n": 0})
        await until(lambda: not news._link.up)
        await news._link.redis.config_set("maxmemory", 0)
        assert await events(news.follow(back=1), 1) == [("a", 0)]


async def test_a_process_that_ends_sends_what_waits(redis: Server) -> None:
    """And does not wait for a Redis that is away."""
    async with processes(redis, 1) as (news,):
        news.publish({"n": 0})
    async with processes(redis, 1) as (news,):
        assert await events(news.follow(back=1), 1) == [("a", 0)]


async def test_without_redis_there_is_no_cluster() -> None:
    """One server alone is the default."""
    for off in ("", None):
        async with cluster.opened(ClusterSettings.model_validate({"redis": off})) as shared:
            assert shared is None


async def test_a_cluster_does_not_wait_for_redis(
    redis: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """It says once that it is away, and once that it is there. Each start has a name of its own."""
    redis.stop()
    settings = ClusterSettings.model_validate({"redis": redis.url, "replica": "one"})
    async with cluster.opened(settings) as shared, cluster.opened(settings) as again:
        assert shared
        assert again
        assert shared.name == again.name == "one"
        assert shared.run != again.run
        news = await shared.news("test")
        assert await shared.news("test") is news
        news.publish({"n": 0})
        await until(lambda: not shared.link.up)
        redis.start()
        assert (await entry(news.follow(back=1))).sender == shared.run
    lines = [record.message for record in caplog.records]
    assert len(lines) == 2
    assert lines[0].startswith("Redis cannot be used: ")
    assert lines[1] == "Redis is back"


async def test_an_address_that_is_none_is_refused() -> None:
    """It is not shown: it may hold a password."""
    settings = ClusterSettings.model_validate({"redis": "http://:secret@host"})
    with pytest.raises(ConfigError, match=r"^cluster.redis: not an address") as refusal:
        async with cluster.opened(settings):
            pass
    assert "secret" not in str(refusal.value)


def test_a_reader_knows_a_bounded_number_of_senders(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often servers are started again."""
    monkeypatch.setattr(reading, "_SENDERS", 2)
    reader = reading.Reader(Link("redis://127.0.0.1"), "test", "1-0", 0)
    for number, sender in enumerate("abc", 1):
        fields = {"sender": sender, "number": "7", "event": "{}"}
        assert [*reader._seen((f"1-{number}", fields))] == [Entry(f"1-{number}", sender, 7, {})]
    assert [*reader._numbers] == ["b", "c"]
