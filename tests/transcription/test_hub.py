"""The hub: every session's events to whoever wants them, and nobody waits for anybody."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from coqui_server.config.settings import Settings
from coqui_server.engines import Engines
from coqui_server.engines.base import Engine
from coqui_server.exceptions import BadRequest
from coqui_server.transcription import messages
from coqui_server.transcription.events import Final, Partial, Source, UtteranceEnd
from coqui_server.transcription.hub import Hub, Subscription
from coqui_server.transcription.messages import Message
from coqui_server.transcription.replay import Replay
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.service import Service
from coqui_transcript.transcript import Segment
from tests.support.clips import clip, spoken

ALICE = Source("a", "rtp", "call 1", "alice")
BOB = Source("b", "rtp", "call 2", "bob")
BROWSER = Source("c", "live")


def final(source: Source, text: str) -> Final:
    """Something that was said."""
    return Final(source, Segment(1.0, 2.0, text))


async def heard(news: Subscription) -> list[Message]:
    """All that comes until the hub closes."""
    return [message async for message in news]


async def test_several_viewers_see_the_same(moonshine: Engine, scheduler: Scheduler) -> None:
    """All events of a real session, in order, to each; one who comes late sees what is left."""
    service = Service(Settings(), Engines(moonshine), scheduler)
    with service.hub.subscribed({}) as first, service.hub.subscribed({}) as second:
        async with service.session(SessionRequest("live")) as session:
            with service.hub.subscribed({"session": session.id}) as late:
                await session.write(clip("appointment.wav").pcm)
                await session.finish()
                service.hub.close()
                seen = await heard(late)
    all_seen = await heard(first)
    assert await heard(second) == all_seen
    assert [all_seen[0]["event"], all_seen[-1]["event"]] == ["session_start", "session_end"]
    assert all_seen[1:] == seen
    said = " ".join(message["text"] for message in seen if message["event"] == "final")
    assert spoken(said) == spoken(clip("appointment.wav").text)


FILTERS: list[tuple[dict[str, str], list[str]]] = [
    ({}, ["one", "two", "three"]),
    ({"kind": "rtp"}, ["one", "two"]),
    ({"kind": "live"}, ["three"]),
    ({"session": "b"}, ["two"]),
    ({"call": "call 1"}, ["one"]),
    ({"call": "call 1", "session": "b"}, []),
    ({"kind": "file"}, []),
]


@pytest.mark.parametrize(("wanted", "texts"), FILTERS)
async def test_filters(wanted: Mapping[str, str], texts: list[str]) -> None:
    """A viewer gets what all of its filters let through."""
    hub = Hub()
    with hub.subscribed(wanted) as news:
        for source, text in ((ALICE, "one"), (BOB, "two"), (BROWSER, "three")):
            await hub(final(source, text))
        hub.close()
        assert [message["text"] for message in await heard(news)] == texts


async def test_a_slow_viewer_is_told_how_much_it_missed() -> None:
    """A thousand messages are kept for it, in order, then a count; then it goes on. The other
    viewer misses nothing."""
    hub = Hub()
    quick_heard: list[Any] = []
    with hub.subscribed({}) as slow, hub.subscribed({}) as quick:
        for number in range(1234):
            await hub(final(ALICE, str(number)))
            quick_heard.append((await anext(quick))["text"])
        kept = [(await anext(slow))["text"] for _ in range(1000)]
        assert await anext(slow) == {"event": "missed", "count": 234}
        await hub(final(ALICE, "on"))
        assert (await anext(slow))["text"] == "on"
    assert kept == [str(number) for number in range(1000)]
    assert quick_heard == [str(number) for number in range(1234)]


async def test_what_is_missed_while_catching_up_is_counted_too() -> None:
    """The count has the place of what was missed: before the news that came after it."""
    hub = Hub()
    with hub.subscribed({"kind": "rtp"}) as news:
        for number in range(1001):
            await hub(final(ALICE, str(number)))
        await anext(news)
        await hub(final(ALICE, "later"))
        await hub(final(BROWSER, "not wanted"))
        hub.close()
        rest = await heard(news)
    assert [message.get("text") for message in rest[:-2]] == [str(n) for n in range(1, 1000)]
    assert rest[-2] == {"event": "missed", "count": 1}
    assert rest[-1]["text"] == "later"


async def test_waiting_for_news_and_the_end() -> None:
    """A viewer wakes for each message, and its iteration ends when the hub closes."""
    hub = Hub()
    with hub.subscribed({}) as news:
        waiting = asyncio.create_task(heard(news))
        for text in ("one", "two"):
            await asyncio.sleep(0)
            await hub(final(ALICE, text))
        await hub(UtteranceEnd(ALICE, 2.0))
        await asyncio.sleep(0)
        assert not waiting.done()
        hub.close()
        assert [message["event"] for message in await waiting] == [
            "final",
            "final",
            "utterance_end",
        ]


async def test_a_viewer_that_was_away_goes_on_from_where_it_was() -> None:
    """With what its filters let through, but for partials, which others have replaced since."""
    hub = Hub()
    with hub.subscribed({}) as first:
        await hub(final(ALICE, "one"))
        known = (await anext(first))["id"]
        await hub(Partial(ALICE, "tw", 1.0))
        await hub(final(ALICE, "two"))
        await hub(final(BOB, "three"))
        partial = await anext(first)
    with hub.resumed({"call": "call 1"}, known) as again, hub.resumed({}, partial["id"]) as other:
        await hub(final(ALICE, "four"))
        hub.close()
        assert [message["text"] for message in await heard(again)] == ["two", "four"]
        assert [message["text"] for message in await heard(other)] == ["two", "three", "four"]


async def test_a_viewer_that_was_away_for_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As is one that knows the events of a server that ran before. What is kept is bounded."""
    hub = Hub()
    hub._replay = Replay(size=1000)
    hub._replay.begin(hub._last)
    with hub.subscribed({}) as first:
        for number in range(100):
            await hub(final(ALICE, str(number)))
        ids = [(await anext(first))["id"] for _ in range(100)]
    assert hub._replay._size <= 1000
    for old in (ids[0], ids[50], "1-5"):
        with hub.resumed({}, old) as late:
            assert await anext(late) == {"event": "missed", "count": None}
            await hub(final(ALICE, "on"))
            assert (await anext(late))["text"] == "on"
    with hub.resumed({}, ids[98]) as quick:
        assert (await anext(quick))["text"] == "99"
    for wrong in ("", "x", "1", "1-", "-1", "1-x", "²-1"):
        with pytest.raises(BadRequest, match='"from" is the id of an event'):
            hub.resumed({}, wrong)


async def test_a_viewer_that_is_ahead_of_this_server_gets_nothing_twice() -> None:
    """It was told by another server what has not come here yet."""
    hub = Hub()

    def told(number: int) -> Message:
        return {"id": f"7-{number}", **messages.message(final(ALICE, str(number)))}

    hub.miss()
    hub.tell(told(1))
    with hub.resumed({}, "7-3") as ahead:
        for number in range(2, 6):
            hub.tell(told(number))
        hub.tell({**told(6), "id": None})
        hub.close()
        assert [message["text"] for message in await heard(ahead)] == ["4", "5", "6"]
    with hub.resumed({}, "7-4") as late:
        assert [message["text"] for message in await heard(late)] == ["5"]


async def test_a_viewer_that_comes_after_the_end_or_left_before() -> None:
    """The one sees nothing and is not kept; the other is sent nothing more."""
    hub = Hub()
    with hub.subscribed({}) as gone:
        pass
    await hub(final(ALICE, "word"))
    hub.close()
    gone.close()
    assert await heard(gone) == []
    with hub.subscribed({}) as late:
        assert await heard(late) == []
