"""The hub: every session's events to whoever wants them, and nobody waits for anybody."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from coqui_server.config.settings import Settings
from coqui_server.engines import Engines
from coqui_server.engines.base import Engine
from coqui_server.transcription.events import Final, Source, UtteranceEnd
from coqui_server.transcription.hub import Hub, Subscription
from coqui_server.transcription.messages import Message
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
