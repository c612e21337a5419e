"""Sessions whose utterances, or whose whole sound, go to a service."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import pairwise

import numpy as np
import pytest

from coqui_server.config.settings import Settings
from coqui_server.engines import Engines
from coqui_server.engines.base import AnyEngine, Engine, StreamingService
from coqui_server.exceptions import Busy, EngineError, ServerFault, ServiceError
from coqui_server.transcription.events import (
    Event,
    Final,
    Partial,
    SessionEnded,
    SessionStarted,
    Sink,
    UtteranceEnd,
)
from coqui_server.transcription.gated import GatedListening
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.service import Service
from coqui_server.transcription.session import Session
from coqui_server.transcription.streamed import StreamedListening
from coqui_transcript.transcript import Word
from tests.engines.listening import RATE, Listening, listening, word
from tests.support.clips import clip
from tests.support.remote_engines import Make
from tests.support.remote_service import Service as Remote
from tests.support.remote_service import answer

VOICE = clip("voicemail.wav").pcm
"""Two sentences, which the gate cuts apart."""


def said(text: str) -> dict[str, object]:
    """What Vira answers."""
    return {"data": {"data": {"aiResponse": {"result": {"text": text}}}}}


@pytest.fixture
async def events() -> list[Event]:
    return []


@pytest.fixture
async def stand_in() -> AsyncIterator[Listening]:
    """Deepgram's."""
    async with listening() as service:
        yield service


@pytest.fixture
def deepgram(make: Make, stand_in: Listening) -> StreamingService:
    engine = make("deepgram", base_url=stand_in.url)
    assert isinstance(engine, StreamingService)
    return engine


def serving(scheduler: Scheduler, *engines: AnyEngine) -> Service:
    """The sessions of these engines."""
    return Service(Settings(), Engines(*engines), scheduler)


def keeping(events: list[Event]) -> list[Sink]:
    async def keep(event: Event) -> None:
        events.append(event)

    return [keep]


async def test_a_file_goes_in_chunks(make: Make, service: Remote, scheduler: Scheduler) -> None:
    """Both sentences are one request, and one final from the first word to the last."""
    service.replies = [answer(200, said("two sentences"))]
    async with Session(SessionRequest("file", make("vira")), scheduler, Settings()) as session:
        await session.write(VOICE)
        transcript = await session.finish()
    (final,) = transcript.segments
    assert final.text == "two sentences"
    assert 0 < final.start < 1
    assert 5 < final.end < len(VOICE) / RATE
    (request,) = service.requests
    sent = (len(request.files["audio"][2]) - 44) / 2 / RATE
    assert sent == pytest.approx(final.end - final.start, abs=0.001)
    assert (session.final_seconds, session.decoding_seconds) == (0.0, 0.0)


async def test_chunks_keep_to_the_limit_of_the_service(
    make: Make, service: Remote, scheduler: Scheduler
) -> None:
    """A shorter limit makes more requests, of which none is longer; finals are in order."""
    service.replies = [answer(200, said(f"text {n}")) for n in range(8)]
    engine = make("vira", chunk="5 s", requests=1)
    async with Session(SessionRequest("file", engine), scheduler, Settings()) as session:
        for _ in range(4):
            await session.write(VOICE)
        transcript = await session.finish()
    assert len(transcript.segments) == len(service.requests) > 4
    assert all(len(r.files["audio"][2]) <= 44 + 2 * 5 * RATE for r in service.requests)
    assert all(a.end <= b.start for a, b in pairwise(transcript.segments))


async def test_a_failed_chunk_fails_the_transcript(
    make: Make, service: Remote, scheduler: Scheduler, events: list[Event]
) -> None:
    """With the service's reason; what it said is never a text."""
    service.replies = [
        answer(200, said("text 0")),
        answer(402, {"message": "no credit"}),
        *[answer(200, said("more"))] * 8,
    ]
    engine = make("vira", chunk="5 s", requests=1)
    with pytest.raises(EngineError, match="the service vira failed: 402, no credit"):
        async with Session(
            SessionRequest("file", engine, sinks=tuple(keeping(events))), scheduler, Settings()
        ) as session:
            for _ in range(4):
                await session.write(VOICE)
            await session.finish()
    assert [event.segment.text for event in events if isinstance(event, Final)] == ["text 0"]
    assert isinstance(events[-1], SessionEnded)
    assert events[-1].error == "the service vira failed: 402, no credit"


async def test_live_utterances_go_one_by_one(
    make: Make, service: Remote, scheduler: Scheduler, events: list[Event]
) -> None:
    """As soon as each is over, and never for a partial: each request is billed."""
    service.replies = [answer(200, said("one")), answer(200, said(""))]
    engine = make("vira", requests=1)
    async with Session(
        SessionRequest("live", engine, interim=0.1, sinks=tuple(keeping(events))),
        scheduler,
        Settings(),
    ) as session:
        for start in range(0, len(VOICE), RATE // 10):
            await session.write(VOICE[start : start + RATE // 10])
        transcript = await session.finish()
    assert transcript.text == "one"
    assert len(service.requests) == 2
    kinds = [type(event) for event in events]
    assert kinds == [SessionStarted, Final, UtteranceEnd, UtteranceEnd, SessionEnded]


async def test_a_service_listens_to_the_whole_session(
    deepgram: StreamingService, stand_in: Listening, scheduler: Scheduler, events: list[Event]
) -> None:
    """Pauses and all, as it came; partials, finals and their ends are the service's."""
    sound = np.concatenate((word(0), word(1), word(2), word(0, 2.5)))
    async with Session(
        SessionRequest("live", deepgram, interim=0.5, sinks=tuple(keeping(events))),
        scheduler,
        Settings(),
    ) as session:
        for start in range(0, len(sound), RATE // 10):
            await session.write(sound[start : start + RATE // 10])
            await asyncio.sleep(0.001)
        transcript = await session.finish()
    (connection,) = stand_in.connections
    assert connection.sound == sound.tobytes()
    assert transcript.text == "w1 w2"
    assert transcript.duration == 4.0
    first, second = transcript.segments
    assert (first.start, first.end, second.end) == (0.5, 1.0, 1.5)
    assert second.words == (Word("w2", 1.0, 1.5, 0.9),)
    assert any(isinstance(event, Partial) and event.text == "w1" for event in events)
    shown = [type(event) for event in events if not isinstance(event, Partial)]
    assert shown == [SessionStarted, Final, Final, UtteranceEnd, SessionEnded]


async def test_no_partials_for_those_who_want_none(
    deepgram: StreamingService, scheduler: Scheduler, events: list[Event]
) -> None:
    """The service sends them in any case; an end that it did not find is told at the end."""
    async with Session(
        SessionRequest("rtp", deepgram, sinks=tuple(keeping(events))), scheduler, Settings()
    ) as session:
        await session.write(word(1))
        await session.skip(60 * RATE)
        await session.write(word(2))
        await session.finish()
    finals = [event.segment for event in events if isinstance(event, Final)]
    assert [(final.text, final.start, final.end) for final in finals] == [("w1 w2", 0.0, 61.0)]
    assert [type(event) for event in events][-2:] == [UtteranceEnd, SessionEnded]
    assert not any(isinstance(event, Partial) for event in events)


async def test_settling_goes_on_with_the_clock(
    deepgram: StreamingService, stand_in: Listening, scheduler: Scheduler
) -> None:
    """All that was said is out, and what comes after it has its time."""
    async with Session(SessionRequest("live", deepgram), scheduler, Settings()) as session:
        await session.write(word(1))
        await session.settle()
        assert session.transcript.text == "w1"
        await session.write(word(2))
        transcript = await session.finish()
    assert [(s.text, s.start, s.end) for s in transcript.segments] == [
        ("w1", 0.0, 0.5),
        ("w2", 0.5, 1.0),
    ]
    assert len(stand_in.connections) == 2


async def test_a_stream_that_fails_ends_its_session(
    deepgram: StreamingService, stand_in: Listening, scheduler: Scheduler, events: list[Event]
) -> None:
    """The writer is told, or whoever finishes; and the last event says why."""
    stand_in.refusals = [402]
    with pytest.raises(ServiceError, match="402"):
        async with Session(
            SessionRequest("live", deepgram, sinks=tuple(keeping(events))), scheduler, Settings()
        ) as session:
            await session.write(word(1))
            await session.finish()
    assert isinstance(events[-1], SessionEnded)
    assert "402" in str(events[-1].error)


async def test_a_sink_that_fails_ends_a_streamed_session(
    deepgram: StreamingService, scheduler: Scheduler
) -> None:
    """What cannot be passed on is an error, and the service is heard to the end meanwhile."""

    async def full(event: Event) -> None:
        if isinstance(event, Final):
            raise OSError("disk full")

    with pytest.raises(ServerFault, match="could not be passed on"):
        async with Session(
            SessionRequest("live", deepgram, sinks=(full,)), scheduler, Settings()
        ) as session:
            for value in range(1, 200):
                await session.write(word(value))
            await session.finish()


async def test_leaving_a_streamed_session_early(
    deepgram: StreamingService, stand_in: Listening, scheduler: Scheduler, events: list[Event]
) -> None:
    """A caller that vanishes leaves no task behind and an end with the reason."""
    before = asyncio.all_tasks()
    with pytest.raises(ConnectionError):
        async with Session(
            SessionRequest("live", deepgram, sinks=tuple(keeping(events))), scheduler, Settings()
        ) as session:
            await session.write(word(1))
            while not stand_in.connections:
                await asyncio.sleep(0.001)
            raise ConnectionError("the line broke")
    assert isinstance(events[-1], SessionEnded)
    assert events[-1].error == "the line broke"
    while len(asyncio.all_tasks()) > len(before):
        await asyncio.sleep(0.001)


async def test_who_gets_which_session(
    deepgram: StreamingService, make: Make, scheduler: Scheduler
) -> None:
    """Live sound and calls are streamed where that can be done."""
    sessions = serving(scheduler, deepgram, make("vira"))
    for kind in ("file", "live", "rtp"):
        async with sessions.session(SessionRequest(kind)) as session:
            assert isinstance(session._listening, StreamedListening) == (kind != "file")
            await session.finish()
    _, vira = sessions.engines
    async with sessions.session(SessionRequest("live", engine=vira)) as session:
        assert isinstance(session._listening, GatedListening)


async def test_only_engines_here_load_the_threads(
    make: Make, moonshine: Engine, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A remote engine beside a local default: its sessions are no load, and are let in when there
    is no room for another of the default one. Only what runs here is rehearsed."""
    monkeypatch.setattr("coqui_server.transcription.rehearsal.cost", {moonshine: 0.8}.__getitem__)
    sessions = serving(scheduler, moonshine, make("vira"))
    await sessions.rehearse()
    vira = sessions.engines.get("vira")
    async with AsyncExitStack() as open:
        await open.enter_async_context(sessions.session(SessionRequest("live", engine=vira)))
        assert (needed(sessions), scheduler.reserved) == (0.0, 0)
        for number in (1, 2):
            await open.enter_async_context(sessions.session(SessionRequest("live")))
            assert (needed(sessions), scheduler.reserved) == (0.8 * number, 1)
        with pytest.raises(Busy, match=r"2 live sessions keep 1\.6 of 2"):
            await open.enter_async_context(sessions.session(SessionRequest("rtp")))
        with pytest.raises(Busy):
            sessions.check_room(SessionRequest("rtp"))
        await open.enter_async_context(sessions.session(SessionRequest("rtp", engine=vira)))
        assert needed(sessions) == 1.6
        assert sessions.health()["sessions"] == {"file": 0, "live": 3, "rtp": 1}
    assert (needed(sessions), scheduler.reserved) == (0.0, 0)


async def test_an_engine_here_beside_a_remote_default(
    make: Make, moonshine: Engine, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Room is asked for where it is needed."""
    monkeypatch.setattr("coqui_server.transcription.rehearsal.cost", lambda _: 1.5)
    sessions = serving(scheduler, make("vira"), moonshine)
    await sessions.rehearse()
    async with sessions.session(SessionRequest("live", engine=moonshine)):
        with pytest.raises(Busy):
            sessions.check_room(SessionRequest("live", moonshine))
        sessions.check_room(SessionRequest("live"))


def needed(sessions: Service) -> float:
    """Threads that are busy, as `/health` has it."""
    return float(sessions.health()["decoders"]["needed"])
