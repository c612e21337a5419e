"""Two servers as processes, through what happens to them, to Redis and to PostgreSQL: every final
that a client was told is in the store once, and each client is told what happened."""

import asyncio
import signal
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import func, select

from tests.cluster.processes import Processes, kept, lease_over, running, speaking
from tests.rtp.viewer import Viewer, viewing_at
from tools import postgresql

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def processes(
    tmp_path_factory: pytest.TempPathFactory, postgresql_server: postgresql.Server
) -> Iterator[Processes]:
    """Two servers behind HAProxy."""
    with running(tmp_path_factory.mktemp("cluster"), postgresql_server) as both:
        yield both


async def said(viewer: Viewer, session: str, count: int) -> list[str]:
    """The first finals of a session that a viewer sees; none comes twice."""
    await viewer.until("final", count, session=session)
    return [final["text"] for final in viewer.all("final", session=session)]


async def test_clients_are_spread_and_each_server_tells_of_all(processes: Processes) -> None:
    """The pages of each have all sessions, under the clock that all share."""
    addresses = [server.address for server in processes.servers]
    async with (
        processes.store() as store,
        speaking(processes.balancer) as one,
        speaking(processes.balancer) as two,
    ):
        rows = [await kept(store, speaker) for speaker in (one, two)]
        assert {processes.of(row).name for row in rows} == {"a", "b"}
        async with viewing_at(addresses[0]) as first, viewing_at(addresses[1]) as second:
            for viewer in (first, second):
                await viewer.ask("list_calls")
            for speaker in (one, two):
                await speaker.say()
                for viewer in (first, second):
                    assert await said(viewer, speaker.session, 1) == speaker.finals
        async with store.database.reading() as transaction:
            now = await transaction.scalar(select(func.now()))
        assert now
        assert all(now - row.start < timedelta(seconds=30) for row in rows)
        async with httpx.AsyncClient(base_url=f"http://{processes.balancer}") as web:
            found = (await web.get("/api/sessions/")).json()["sessions"]
        assert {session["id"] for session in found} >= {row.id for row in rows}


async def test_redis_is_cut_off_and_started_again(processes: Processes) -> None:
    """Sessions go on, and viewers of the same server see them; the others do when it is back."""
    here, there = processes.servers
    assert processes.redis.process
    async with processes.store() as store, speaking(here.address) as speaker:
        async with viewing_at(here.address) as near, viewing_at(there.address) as far:
            for viewer in (near, far):
                await viewer.ask("list_calls")
            processes.redis.process.send_signal(signal.SIGSTOP)
            while (await here.health())["cluster"]["redis"] == "ok":
                await asyncio.sleep(0.1)
            await speaker.say()
            assert await said(near, speaker.session, 1) == speaker.finals
            processes.redis.process.send_signal(signal.SIGCONT)
            assert await said(far, speaker.session, 1) == speaker.finals
            processes.redis.stop()
            await speaker.say()
            assert await said(near, speaker.session, 2) == speaker.finals
            processes.redis.start()
            assert await said(far, speaker.session, 2) == speaker.finals
            while (await here.health())["cluster"]["redis"] == "away":
                await asyncio.sleep(0.1)
        assert (await kept(store, speaker)).state == "running"


async def test_postgresql_is_started_again(processes: Processes) -> None:
    """A session that had something to store meanwhile fails, and its client is told; one that had
    not goes on."""
    server = processes.servers[0]
    async with speaking(server.address) as unlucky, speaking(server.address) as lucky:
        await unlucky.say()
        processes.postgresql.stop()
        try:
            assert await unlucky.goes_on() == 1011
            assert unlucky.messages[-1]["code"] == "store_failed"
        finally:
            processes.postgresql.start()
        await lucky.say()
        async with processes.store() as store:
            assert (await kept(store, lucky)).state == "running"
            row = await kept(store, unlucky)
            assert (row.state, len(row.segments)) == ("failed", len(unlucky.finals))


async def test_servers_are_started_again_one_after_the_other(processes: Processes) -> None:
    """Each client gets its last finals and is told that the server goes away. Another server takes
    its next session, and a viewer that goes there misses nothing and sees nothing twice."""
    for server in processes.servers:
        async with processes.store() as store, viewing_at(server.address) as viewer:
            await viewer.ask("list_calls")
            async with speaking(server.address) as leaving:
                await leaving.say()
                known = (await viewer.until("final", session=leaving.session))["id"]
                await leaving.send()
                stopping = asyncio.to_thread(server.end, signal.SIGTERM)
                code, exit_code = await asyncio.gather(leaving.end(), stopping)
                assert (code, exit_code) == (1001, 0)
            assert len(leaving.finals) >= 2
            row = await kept(store, leaving)
            assert [segment.text for segment in row.segments] == leaving.finals
            async with viewing_at(processes.balancer, f"?from={known}") as again:
                await again.until("session_end", session=leaving.session)
                assert await said(again, leaving.session, 1) == leaving.finals[1:]
            async with speaking(processes.balancer) as next_one:
                await next_one.say()
                assert processes.of(await kept(store, next_one)) is processes.other(server)
        server.start()


async def test_a_server_is_killed_in_the_middle_of_a_session(processes: Processes) -> None:
    """Its client's connection breaks. The other server closes the session, once, with all finals
    that were told, and its viewers hear of it."""
    async with processes.store() as store, speaking(processes.balancer) as speaker:
        row = await kept(store, speaker)
        dead, other = processes.of(row), processes.other(processes.of(row))
        async with viewing_at(other.address, f"?session={speaker.session}") as viewer:
            await viewer.ask("list_calls")
            await speaker.say()
            await speaker.send()
            dead.end(signal.SIGKILL)
            assert await speaker.end() in (None, 1006)
            assert row.replica
            await lease_over(store, row.replica)
            ended = await viewer.until("session_end")
            assert ended["error"] == "the daemon stopped"
        row = await kept(store, speaker)
        assert row.state == "interrupted"
        assert row.text == " ".join(segment.text for segment in row.segments)
        async with speaking(processes.balancer) as again:
            await again.say()
            assert processes.of(await kept(store, again)) is other
