"""Several servers on one database: each has its sessions, and a dead one's are closed once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from coqui_server.config.store import StoreSettings
from coqui_server.exceptions import ConfigError, StoreError
from coqui_server.principal import EVERYBODY
from coqui_server.store import Store, opened
from coqui_server.store.replicas import Replicas
from coqui_server.transcription.events import Event, Final, SessionEnded, SessionStarted, Source
from coqui_transcript.transcript import Segment
from tests.support.stores import settings_of
from tools import postgresql

LEASE = 3600.0


@pytest.fixture
def settings(server: postgresql.Server, tmp_path: Path) -> StoreSettings:
    """An empty database that servers can share."""
    return settings_of(tmp_path / "data", server.create())


@asynccontextmanager
async def servers(settings: StoreSettings, *names: str) -> AsyncIterator[list[Store]]:
    """Servers of these names on one store; they have said that they live."""
    async with AsyncExitStack() as stack:
        opening = (stack.enter_async_context(opened(settings, name, LEASE)) for name in names)
        stores = [store for store in await asyncio.gather(*opening) if store]
        for store in stores:
            await lives(store)
        yield stores


async def lives(store: Store) -> list[Event]:
    """A server says that it lives; the events of the sessions that it closed."""
    told: list[Event] = []

    async def tell(event: Event) -> None:
        told.append(event)

    assert store.replicas
    await store.replicas.beat(tell)
    return told


async def silent(store: Store, *names: str) -> None:
    """Let the clock of the database pass a lease, in which these are not heard of."""
    async with store.database.writing() as transaction:
        await transaction.execute(text("UPDATE replicas SET steady = steady - interval '2 hours'"))
        for name in names:
            await transaction.execute(
                text("UPDATE replicas SET seen = seen - interval '2 hours' WHERE id = :name"),
                {"name": name},
            )


async def begun(store: Store, name: str) -> Source:
    """A session that runs on this server, with one final."""
    source = Source(name, "live", label="desk", owner="anna")
    await store.keeper(SessionStarted(source, "digits"))
    await store.keeper(Final(source, Segment(0.5, 1.5, "hello")))
    return source


async def state(store: Store, source: Source) -> tuple[str, str]:
    """What a session has become, and its text."""
    row = await store.sessions.get(EVERYBODY, source.session)
    return row.state, row.text


async def test_a_start_leaves_the_sessions_of_others(settings: StoreSettings) -> None:
    """However often it says that it lives. They go on."""
    async with servers(settings, "a") as (first,):
        source = await begun(first, "s1")
        async with servers(settings, "b") as (second,):
            await silent(second)
            assert await lives(second) == []
            await first.keeper(Final(source, Segment(2.0, 3.0, "there")))
            await first.keeper(SessionEnded(source, 3.0))
            assert await state(second, source) == ("finished", "hello there")


async def test_the_sessions_of_a_dead_server_are_closed_once(settings: StoreSettings) -> None:
    """By one of those that notice at the same time; subscribers hear of the end."""
    async with servers(settings, "a", "b", "c") as (dead, second, third):
        source = await begun(dead, "s1")
        await silent(second, "a")
        told = await asyncio.gather(lives(second), lives(third))
        assert sorted(told, key=len) == [[], [SessionEnded(source, 1.5, "the daemon stopped")]]
        assert await state(third, source) == ("interrupted", "hello")


async def test_a_server_that_was_taken_for_dead_is_refused(settings: StoreSettings) -> None:
    """Its client is told, so that nobody has heard a final that is not kept. What it begins now is
    kept."""
    async with servers(settings, "a", "b") as (paused, other):
        source = await begun(paused, "s1")
        await silent(other, "a")
        await lives(other)
        others = await begun(other, "s2")
        late, right = await asyncio.gather(
            paused.keeper(Final(source, Segment(2.0, 3.0, "late"))),
            other.keeper(Final(others, Segment(2.0, 3.0, "there"))),
            return_exceptions=True,
        )
        assert isinstance(late, StoreError)
        assert "the other servers had not heard of this one" in str(late)
        assert right is None
        with pytest.raises(StoreError):
            await paused.keeper(SessionEnded(source, 3.0))
        assert await state(other, source) == ("interrupted", "hello")
        await lives(paused)
        again = await begun(paused, "s3")
        assert await lives(other) == []
        await paused.keeper(SessionEnded(again, 2.0))
        assert await state(other, again) == ("finished", "hello")


async def test_one_refused_session_leaves_the_others_of_its_batch(settings: StoreSettings) -> None:
    """They are committed each for itself."""
    async with servers(settings, "a", "b") as (paused, other):
        closed = await begun(paused, "s1")
        await silent(other, "a")
        await lives(other)
        await lives(paused)
        open = await begun(paused, "s2")
        results = await asyncio.gather(
            *(paused.keeper(Final(source, Segment(2.0, 3.0, "x"))) for source in (open, closed)),
            return_exceptions=True,
        )
        assert results[0] is None
        assert isinstance(results[1], StoreError)


async def test_after_a_database_that_was_away_nobody_is_dead(settings: StoreSettings) -> None:
    """The one who is back first cannot know whether the others live."""
    async with servers(settings, "a", "b") as (first, second):
        source = await begun(first, "s1")
        await silent(second, "a", "b")
        assert await lives(second) == []
        await lives(first)
        await silent(second)
        assert await lives(second) == []
        assert await state(second, source) == ("running", "")


async def test_a_server_that_takes_its_leave_is_not_waited_for(settings: StoreSettings) -> None:
    """What it could not close is closed at once, as is what one server alone has left."""
    async with opened(settings) as alone:
        assert alone
        await begun(alone, "s0")
    async with servers(settings, "a") as (first,):
        assert (await first.sessions.get(EVERYBODY, "s0")).state == "interrupted"
        async with opened(settings, "b", LEASE) as second:
            assert second
            assert isinstance(second.replicas, Replicas)

            async def ignore(_: Event) -> None:
                pass

            async with second.replicas.kept(ignore):
                source = await begun(second, "s1")
        (ended,) = await lives(first)
        assert ended.source == source


async def test_one_server_alone_and_several_do_not_share(
    settings: StoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever comes first, the other says what to set."""
    monkeypatch.setattr("coqui_server.store.locks._PATIENCE", 0)
    orders: list[tuple[str | None, str | None]] = [(None, "b"), ("a", None)]
    for first, second in orders:
        async with opened(settings, first, LEASE):
            with pytest.raises(ConfigError, match=r"only if all of them have cluster\.redis"):
                async with opened(settings, second, LEASE):
                    pass


async def test_sqlite_is_for_one_server(tmp_path: Path) -> None:
    """Whatever the configuration says."""
    with pytest.raises(ConfigError, match=r"^store\.url: found null, .*SQLite is for one server"):
        async with opened(settings_of(tmp_path), "a", LEASE):
            pass
