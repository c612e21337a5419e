"""The commands on `/ws/events`: calls reserved, listed, released and named, and every refusal."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from coqui_server.engines.base import Engine
from tests.rtp.coded import opus
from tests.rtp.sender import calling, four_ports, hush, mu_law, voice
from tests.rtp.viewer import Viewer, viewing
from tests.rtp.wire import SSRC, goodbye
from tests.support.clips import clip, spoken
from tests.support.daemon import Running, Start

VOICEMAIL = spoken(clip("voicemail.wav").text)
MONDAY = spoken(clip("appointment.wav").text)
QUIET = "partials.pace = 60 s"


@pytest.fixture
async def server(start: Start, moonshine: Engine) -> AsyncIterator[Running]:
    """A server that gives finals alone."""
    async with start(moonshine, QUIET) as running:
        yield running


@pytest.fixture
async def viewer(server: Running) -> AsyncIterator[Viewer]:
    """Somebody who sees everything."""
    async with viewing(server) as watching:
        yield watching


async def test_a_call_of_two_legs(server: Running, viewer: Viewer) -> None:
    """Each leg has a port of its own, one packet opens it, and its words come under its name."""
    answer = await viewer.ask("reserve_call", id="c1", label="clinic", legs=["agent", "customer"])
    call = answer["call"]
    assert answer["event"] == "call"
    assert (call["id"], call["label"], call["reserved"]) == ("c1", "clinic", True)
    ports = {leg["label"]: leg["port"] for leg in call["legs"]}
    assert [leg["host"] for leg in call["legs"]] == ["127.0.0.1"] * 2
    assert all(40000 <= port <= 40998 and port % 2 == 0 for port in ports.values())
    with (
        calling(server, 1, port=ports["agent"]) as (agent,),
        calling(server, 1, port=ports["customer"]) as (customer,),
    ):
        agent.send(mu_law(hush(0.02))[0])
        await viewer.until("session_start", label="agent")
        await agent.say(mu_law(voice("appointment.wav")))
        await customer.say(mu_law(voice("voicemail.wav")))
        await viewer.until("session_start", label="customer")
        (listed,) = (await viewer.ask("list_calls"))["calls"]
        streams = {leg["label"]: leg["streams"] for leg in listed["legs"]}
        sources = {each: [stream["source"] for stream in streams[each]] for each in streams}
        assert sources == {
            "agent": [agent.source],
            "customer": [customer.source],
        }
        agent.socket.send(goodbye(1))
        customer.socket.send(goodbye(1))
        await viewer.until("session_end", 2, call="c1")
    assert viewer.words(label="agent") == MONDAY
    assert viewer.words(label="customer") == VOICEMAIL


async def test_a_call_without_names(viewer: Viewer) -> None:
    """An id is made up, there is one leg, and no stream on it yet."""
    call = (await viewer.ask("reserve_call"))["call"]
    assert uuid.UUID(call["id"])
    (leg,) = call["legs"]
    assert (call["label"], leg["label"], leg["streams"]) == (None, None, [])
    assert (await viewer.ask("list_calls"))["calls"] == [call]


async def test_a_codec_of_its_own(server: Running, viewer: Viewer) -> None:
    """A dynamic payload type that the configuration does not know is what the call says it is."""
    call = (await viewer.ask("reserve_call", id="c2", codec="opus/48000/2"))["call"]
    with calling(server, port=call["legs"][0]["port"]) as (telephone,):
        telephone.payload_type = 111
        await telephone.say(opus(voice("appointment.wav"), 8000), ticks=960)
        telephone.socket.send(goodbye(SSRC))
        end = await viewer.until("session_end")
    assert viewer.words(call="c2") == MONDAY
    assert end["statistics"]["codec"] == "opus/48000/2"


async def test_payload_types_of_a_leg(server: Running, viewer: Viewer) -> None:
    """They mean what the leg's SDP says, whatever Asterisk has under the same numbers."""
    leg = {"label": "anna", "codecs": {"107": "L16/8000", "100": "opus/48000/2"}}
    call = (await viewer.ask("reserve_call", id="c6", legs=[leg]))["call"]
    assert call["legs"][0]["label"] == "anna"
    with calling(server, port=call["legs"][0]["port"]) as (telephone,):
        telephone.payload_type = 100
        await telephone.say(opus(voice("appointment.wav"), 8000), ticks=960)
        telephone.socket.send(goodbye(SSRC))
        end = await viewer.until("session_end")
    assert viewer.words(call="c6", label="anna") == MONDAY
    assert end["statistics"]["codec"] == "opus/48000/2"


async def test_a_call_that_is_left_frees_its_ports(start: Start, moonshine: Engine) -> None:
    """A gateway that sends no BYE and releases nothing keeps no port: 250 such calls took all."""
    soon = f'rtp {{ ports = "{four_ports()}", idle = 500 ms, abandoned = 500 ms }}'
    async with start(moonshine, QUIET, soon) as server, viewing(server) as viewer:
        call = (await viewer.ask("reserve_call", id="left", legs=2))["call"]
        with calling(server, port=call["legs"][0]["port"]) as (telephone,):
            await telephone.say(mu_law(voice("appointment.wav")))
            end = await viewer.until("session_end")
        while (await viewer.ask("list_calls"))["calls"]:
            await asyncio.sleep(0.05)
        assert (await viewer.ask("reserve_call", id="next", legs=2))["event"] == "call"
    assert (end["error"], end["statistics"]["ended"]) == (None, "no packets")
    assert viewer.words(call="left") == MONDAY


async def test_release_finishes_the_call(server: Running, viewer: Viewer) -> None:
    """What was said comes before the answer, the ports are free again and take nothing more."""
    call = (await viewer.ask("reserve_call", id="c3", label="anna"))["call"]
    port = call["legs"][0]["port"]
    with calling(server, port=port) as (telephone,):
        await telephone.say(mu_law(voice("voicemail.wav", 0.0, 2.2)))
        await telephone.taken(2.1)
        answer = await viewer.ask("release_call", id="c3")
        with pytest.raises(ConnectionRefusedError):
            for _ in range(2):
                telephone.send(bytes(160))
    assert answer["event"] == "released"
    assert answer["call"]["legs"][0]["streams"][0]["packets"] == 110
    (end,) = viewer.all("session_end", call="c3")
    assert (end["error"], end["statistics"]["ended"]) == (None, "ended here")
    assert viewer.words(label="anna").startswith("hello this is anna from")
    assert (await viewer.ask("list_calls"))["calls"] == []
    assert (await viewer.ask("release_call", id="c3"))["code"] == "no_such_call"


async def test_calls_are_listed_while_one_is_released(server: Running, viewer: Viewer) -> None:
    """A second viewer may ask while the first waits for the last words of a call."""
    call = (await viewer.ask("reserve_call", id="c4"))["call"]
    with calling(server, port=call["legs"][0]["port"]) as (telephone,):
        await telephone.say(mu_law(voice("appointment.wav")))
        await telephone.taken(4)
        async with viewing(server) as other:
            releasing = asyncio.create_task(viewer.ask("release_call", id="c4"))
            with pytest.raises(ConnectionRefusedError):
                while not releasing.done():
                    telephone.socket.send(b"")
                    await asyncio.sleep(0)
            answer = await other.ask("list_calls")
            await releasing
    assert answer["event"] == "calls"
    assert [listed["id"] for listed in answer["calls"]] in ([], ["c4"])


async def test_a_call_that_came_by_itself(server: Running, viewer: Viewer) -> None:
    """A call on the shared port is listed with what came of it, and can be ended."""
    with calling(server) as (telephone,):
        await telephone.say(mu_law(voice("appointment.wav")))
        await telephone.taken(4.3)
        (call,) = (await viewer.ask("list_calls"))["calls"]
        assert not call["reserved"]
        assert call["legs"][0]["port"] == telephone.port
        (stream,) = call["legs"][0]["streams"]
        assert (stream["ssrc"], stream["lost"]) == (f"{SSRC:08x}", 0)
        assert stream["session"] == viewer.all("session_start")[0]["session"]
        await viewer.ask("release_call", id=call["id"])
    assert viewer.words(call=call["id"]) == MONDAY


@pytest.mark.parametrize("mark", ["ssrc", "source"])
async def test_a_stream_named_before_it_comes(server: Running, viewer: Viewer, mark: str) -> None:
    """It has its call, label and codec from its first packet."""
    with calling(server) as (telephone,):
        marks: dict[str, Any] = {"ssrc": SSRC, "source": telephone.source}
        names = {"call": "c5", "label": "anna", "codec": "opus/48000/2"}
        assert await viewer.ask("name_stream", **{mark: marks[mark]}, **names) == {"event": "named"}
        telephone.payload_type = 111
        packets = opus(voice("appointment.wav"), 8000)
        telephone.send(packets[0], ticks=960)
        opened = await viewer.until("session_start")
        await telephone.say(packets[1:], ticks=960)
        telephone.socket.send(goodbye(SSRC))
        await viewer.until("session_end")
    assert (opened["call"], opened["label"]) == ("c5", "anna")
    assert viewer.words(call="c5", label="anna") == MONDAY


async def test_a_stream_named_while_it_is_there(server: Running, viewer: Viewer) -> None:
    """From then on its events carry the label; the newest name counts."""
    with calling(server) as (telephone,):
        await telephone.say(mu_law(voice("voicemail.wav", 0.0, 3.4)))
        await telephone.taken(3.3)
        for label in ("wrong", "anna"):
            await viewer.ask("name_stream", ssrc=SSRC, label=label)
        await telephone.say(mu_law(voice("voicemail.wav", 3.4)))
        telephone.socket.send(goodbye(SSRC))
        await viewer.until("session_end", label="anna")
    assert viewer.all("session_start")[0]["label"] is None
    assert viewer.words(label="anna") in (VOICEMAIL, "please call me back when you have a moment")


async def test_filters(server: Running) -> None:
    """Several viewers see what each asked for: a kind, a call, a session, nothing of another."""
    with calling(server, 1, 2) as (one, other):
        for telephone, call in ((one, "c6"), (other, "c7")):
            async with viewing(server) as viewer:
                await viewer.ask("name_stream", ssrc=telephone.ssrc, call=call)
            telephone.send(mu_law(hush(0.02))[0])
            await telephone.taken(0)
        sessions = {leg.call: leg.session.id for leg, _ in server.rtp if leg.session}
        queries = ["?kind=rtp", "?kind=file", "?call=c6", f"?session={sessions['c7']}", "?call=c8"]
        async with (
            viewing(server, queries[0]) as rtp,
            viewing(server, queries[1]) as files,
            viewing(server, queries[2]) as by_call,
            viewing(server, queries[3]) as by_session,
            viewing(server, queries[4]) as nobody,
        ):
            await one.say(mu_law(voice("appointment.wav")))
            await other.say(mu_law(voice("voicemail.wav")))
            one.socket.send(goodbye(1))
            other.socket.send(goodbye(2))
            await rtp.until("session_end", 2)
            await by_call.until("session_end")
            await by_session.until("session_end")
            await files.ask("list_calls")
            await nobody.ask("list_calls")
    assert (by_call.words(), by_session.words()) == (MONDAY, VOICEMAIL)
    assert rtp.words(call="c6") == MONDAY
    assert {event["call"] for event in by_call.events} == {"c6"}
    assert {event["session"] for event in by_session.events} == {sessions["c7"]}
    assert files.events == nobody.events == []


async def test_a_request_is_given_back(viewer: Viewer) -> None:
    """Any JSON value in `request` comes back in the answer, also in a refusal, exactly."""
    for mark in (7, "a\u00e9\U0001f600", {"deep": [1, None]}, False, "\ud800"):
        for command in ("list_calls", "no_such_command"):
            answer = await viewer.send(json.dumps({"command": command, "request": mark}))
            assert answer["request"] == mark
    assert "request" not in await viewer.send('{"command": "list_calls"}')
