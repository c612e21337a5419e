"""Calls of several servers: whichever is asked, all can be reserved, listed, named and released."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from coqui_server.cluster.link import Link
from coqui_server.cluster.questions import Questions
from coqui_server.exceptions import ClusterFault
from coqui_server.principal import EVERYBODY
from coqui_server.rtp import shared_control
from coqui_server.rtp.shared_control import SharedControl
from tests.cluster.servers import Several
from tests.rtp.sender import calling, hush, mu_law, voice
from tests.rtp.viewer import viewing
from tests.support.daemon import Running
from tests.support.live import until
from tools.redis import Server

pytestmark = pytest.mark.process

ADVERTISED = ["rtp.advertise = 10.0.0.1", "rtp.advertise = 10.0.0.2"]


def control(server: Running) -> SharedControl:
    """The call control of a server."""
    assert isinstance(server.daemon.calls, SharedControl)
    return server.daemon.calls


async def acquainted(servers: Sequence[Running]) -> None:
    """Wait until each server has heard the others say how they are now."""
    for server in servers:
        await control(server)._peers.hear()
    for server in servers:
        await control(server)._peers.hear()
        assert len(control(server)._peers.others) == len(servers) - 1


def hosts(call: dict[str, Any]) -> set[str]:
    """Where its legs are."""
    return {leg["host"] for leg in call["legs"]}


async def test_a_call_goes_where_there_is_room(several: Several) -> None:
    """Its gateway is told that server's address. A full one, and one that ends, get none."""
    async with several(2, "rtp.max_calls = 4", each=ADVERTISED) as servers:
        await acquainted(servers)
        one, two = map(control, servers)
        made = [await one.reserve(legs=2) for _ in range(2)]
        assert [hosts(call) for call in made] == [{"10.0.0.1"}, {"10.0.0.2"}]
        assert [call["replica"] for call in made] == ["a", "b"]
        servers[1].service.drain()
        await acquainted(servers)
        (await two.reserve(), await one.reserve())
        placed = Counter(call["replica"] for call in await two.list())
        assert placed == {"a": 3, "b": 1}
        await acquainted(servers)
        async with viewing(servers[0]) as gateway:
            refused = await gateway.ask("reserve_call")
        assert (refused["event"], refused["code"]) == ("error", "busy")
        assert refused["message"] == "no server has room for another call"


async def test_a_call_is_reached_through_any_server(several: Several) -> None:
    """Its events, its streams, and its end, which waits for its sessions."""
    async with several(2, each=ADVERTISED) as servers:
        one, two = servers
        await acquainted(servers)
        call = await control(one).reserve(id="ticket", legs=["caller"])
        assert call["replica"] == "a"
        with calling(one, port=call["legs"][0]["port"]) as (telephone,):
            async with viewing(two) as elsewhere, httpx.AsyncClient(base_url=two.console) as web:
                assert await elsewhere.ask("list_calls") == {
                    "event": "calls",
                    "calls": (await web.get("/api/calls")).json(),
                }
                taken = await elsewhere.ask("reserve_call", id="ticket")
                assert taken["message"] == "there is a call ticket already"
                await telephone.say(mu_law(voice("appointment.wav", 0, 1), hush(0.5)))
                await telephone.taken(1.0)
                began = await elsewhere.until("session_start", call="ticket", label="caller")
                (listed,) = (await web.get("/api/calls")).json()
                assert listed["legs"][0]["streams"][0]["session"] == began["session"]
                gone = (await web.delete("/api/calls/ticket")).json()
                assert (gone["id"], gone["replica"]) == ("ticket", "a")
                assert two.store
                kept = await two.store.sessions.get(EVERYBODY, began["session"])
                assert kept.state == "finished"
                await elsewhere.until("session_end", call="ticket")
                assert (await web.get("/api/calls")).json() == []
                assert (await web.delete("/api/calls/ticket")).status_code == 404


async def test_a_stream_is_named_at_all_servers(several: Several) -> None:
    """Since any of them may get it. What cannot be is refused, as at one server."""
    async with several(2) as servers:
        await acquainted(servers)
        async with viewing(servers[0]) as gateway:
            assert await gateway.ask("name_stream", ssrc=7, label="desk") == {"event": "named"}
            refused = await gateway.ask("name_stream", label="desk")
            assert refused["code"] == "bad_command"
        for server in servers:
            names = server.rtp.admission.named.find(("127.0.0.1", 9), 7)
            assert names
            assert names.label == "desk"


async def test_while_redis_is_away_each_server_has_its_own(several: Several, redis: Server) -> None:
    """Calls go on, and gateways that ask a server get a port there."""
    async with several(2, each=ADVERTISED) as servers:
        await acquainted(servers)
        one, two = map(control, servers)
        await two.reserve(id="there")
        redis.stop()
        await until(lambda: not one._peers.others and not two._peers.others)
        assert hosts(await one.reserve(id="here")) == {"10.0.0.1"}
        assert [call["id"] for call in await one.list()] == ["here"]
        redis.start()
        await until(lambda: one._peers.others and two._peers.others)
        assert {call["id"] for call in await one.list()} == {"here", "there"}


async def test_a_server_that_does_not_answer(
    several: Several, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Is left out, and the log says so; a call goes to another server then."""
    async with several(2, each=ADVERTISED) as servers:
        await acquainted(servers)
        one, two = map(control, servers)
        await one.reserve(id="c1", legs=3)
        await two.reserve(id="c2")
        monkeypatch.setattr(shared_control, "_PATIENCE", 0.05)
        two._questions._listening.cancel()
        assert [call["id"] for call in await one.list()] == ["c1"]
        assert hosts(await one.reserve()) == {"10.0.0.1"}
        assert "does not answer" in caplog.text


async def test_a_question_that_nobody_waits_for_is_not_answered(redis: Server) -> None:
    """As one that was asked while its server was paused: a port would be reserved for nobody."""
    asked: list[object] = []

    async def answer(question: dict[str, Any]) -> dict[str, Any]:
        asked.append(question["n"])
        return question

    async with Link(redis.url) as link:
        questions = Questions(link, "a", answer)
        with pytest.raises(ClusterFault, match="the server a does not answer"):
            await questions.ask("a", {"n": 1}, 0.05)
        async with questions:
            assert await questions.ask("a", {"n": 2}, 60) == {"n": 2}
    assert asked == [2]


async def test_a_question_that_cannot_be_answered(
    redis: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """Is in the log, and the next one is answered."""

    async def answer(question: dict[str, Any]) -> dict[str, Any]:
        return {"half": 4 // question["by"]}

    async with Link(redis.url) as link, Questions(link, "a", answer) as questions:
        lost = asyncio.create_task(questions.ask("a", {"by": 0}, 60))
        assert await questions.ask("a", {"by": 2}, 60) == {"half": 2}
        lost.cancel()
        await asyncio.gather(lost, return_exceptions=True)
        await until(lambda: "was not answered" in caplog.text)
