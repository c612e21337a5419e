"""Who is let in: what live sessions need of the threads, as measured."""

from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coqui_server.config.settings import Settings
from coqui_server.engines import Engines
from coqui_server.engines.base import DEFAULT_OPTIONS, Engine
from coqui_server.exceptions import Busy
from coqui_server.transcription.load import Load
from coqui_server.transcription.rehearsal import babble
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.service import Service
from tests.support.clips import clip

VOICE = clip("appointment.wav").pcm


@dataclass
class Past:
    """A session's measurements, in seconds."""

    duration: float
    final_seconds: float


def test_nothing_known_admits() -> None:
    """The first sessions are let in, since nothing says they would not fit."""
    load = Load(2)
    assert load.admits([])
    assert load.admits([Past(0, 0)] * 50)
    assert load.admits([Past(14.9, 100)])
    assert load.demand([Past(14.9, 100)]) == 0


def test_what_was_learned_counts() -> None:
    """A session of a fifth of a thread: of two threads, 1.6 can be promised to eight of them."""
    load = Load(2)
    load.learn(Past(100, 20))
    assert load.admits([Past(0, 0)] * 7)
    assert not load.admits([Past(0, 0)] * 8)
    assert load.demand([Past(0, 0)] * 8) == pytest.approx(1.6)


def test_the_first_is_always_let_in() -> None:
    """Figures from bad times do not shut the door for ever: new sessions put them right."""
    load = Load(1)
    load.learn(Past(1800, 1800))
    assert load.admits([])
    assert not load.admits([Past(0, 0)])
    load.learn(Past(1800, 180))
    load.learn(Past(1800, 180))
    assert load.admits([Past(0, 0)])


def test_a_session_has_its_own_figure_when_it_is_old_enough() -> None:
    """One that says nothing needs nothing; one that never stops needs more than the typical."""
    load = Load(1)
    load.learn(Past(1000, 100))
    assert load.demand([Past(60, 0)]) == 0
    assert load.demand([Past(60, 30)]) == 0.5
    assert load.demand([Past(10, 9)]) == pytest.approx(109 / 1010)


def test_open_sessions_count_into_what_is_typical() -> None:
    """With no history, the open ones tell what the next will need."""
    load = Load(1)
    assert load.admits([Past(20, 8)])
    assert not load.admits([Past(20, 9)])


def test_old_sessions_fade() -> None:
    """After half an hour of other sound, a slow day is forgotten by half."""
    load = Load(1)
    load.learn(Past(1800, 1800))
    assert load.demand([Past(0, 0)]) == 1
    for _ in range(10):
        load.learn(Past(180, 0))
    assert 0.3 < load.demand([Past(0, 0)]) < 0.45


SESSIONS = st.lists(st.builds(Past, st.floats(0, 1e6), st.floats(0, 1e6)), min_size=0, max_size=20)


@settings(max_examples=50, deadline=None)
@given(SESSIONS, SESSIONS, st.integers(1, 64))
def test_more_sessions_are_never_easier(past: list[Past], now: list[Past], threads: int) -> None:
    """The demand is the sum of its parts, never negative, and what is full stays full."""
    load = Load(threads)
    for session in past:
        load.learn(session)
    demand = load.demand(now)
    assert demand >= 0
    # A session without sound changes nothing of what is typical, and counts as typical itself.
    typical = load.demand([*now, Past(0, 0)]) - demand
    parts = (typical if s.duration < 15 else s.final_seconds / s.duration for s in now)
    assert demand == pytest.approx(sum(parts), rel=1e-6, abs=1e-6)
    assert not now or load.admits(now) <= (demand <= 0.8 * threads)


@pytest.fixture
async def service(moonshine: Engine, scheduler: Scheduler) -> Service:
    """The sessions of two threads."""
    return Service(Settings(), Engines(moonshine), scheduler)


async def test_real_sessions_are_measured(service: Service) -> None:
    """`/health` says what open sessions need, and forgets nobody who left."""
    assert service.health()["decoders"] == {
        "threads": 2,
        "running": 0,
        "waiting": 0,
        "needed": 0.0,
        "overloaded": False,
    }
    async with service.session(SessionRequest("live")) as session:
        for _ in range(4):
            await session.write(VOICE)
        await session.settle()
        needed = session.final_seconds / session.duration
        assert service.health()["decoders"]["needed"] == round(needed, 2) > 0
        assert service.health()["sessions"] == {"file": 0, "live": 1, "rtp": 0}
        await session.finish()
    assert service.health()["decoders"]["needed"] == 0
    async with service.session(SessionRequest("live")):
        assert service.health()["decoders"]["needed"] == round(needed, 2)


async def test_a_burst_meets_what_was_rehearsed(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sessions that come at once, at the start, are let in as far as the engine's speed goes."""
    monkeypatch.setattr("coqui_server.transcription.rehearsal.cost", lambda _: 0.2)
    await service.rehearse()
    async with AsyncExitStack() as open:
        for _ in range(8):
            await open.enter_async_context(service.session(SessionRequest("live")))
        with pytest.raises(Busy, match=r"8 live sessions keep 1\.6 of 2 decoder threads busy"):
            await open.enter_async_context(service.session(SessionRequest("live")))


async def test_the_slowest_engine_is_expected(
    moonshine: Engine, vosk: Engine, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever is the default: a burst may ask for the other."""
    costs = {moonshine: 0.1, vosk: 0.4}
    monkeypatch.setattr("coqui_server.transcription.rehearsal.cost", costs.__getitem__)
    engines = Engines(moonshine, vosk)
    service = Service(Settings(), engines, scheduler)
    await service.rehearse()
    async with service.session(SessionRequest("live")):
        assert service.health()["decoders"]["needed"] == 0.4


async def test_the_rehearsal_is_work(service: Service, moonshine: Engine) -> None:
    """The engine takes the made-up voice for speech, so its time is like that of speech."""
    recognizer = moonshine.open(DEFAULT_OPTIONS)
    recognizer.feed(babble())
    assert len(recognizer.finish().text.split()) > 4
    await service.rehearse()
    async with service.session(SessionRequest("live")):
        assert service.health()["decoders"]["needed"] > 0


async def test_files_and_previews_are_no_demand(service: Service) -> None:
    """Files wait for each other, and partials can be left out."""
    async with service.session(SessionRequest("file")) as session:
        for _ in range(4):
            await session.write(VOICE)
        await session.finish()
        assert session.decoding_seconds > 0
        assert service.health()["decoders"]["needed"] == 0


async def test_a_full_machine_lets_files_in_but_no_live_sound(
    moonshine: Engine, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refusal says how full it is; calls are live sound as well."""
    load = Load(2)
    load.learn(Past(100, 70))
    monkeypatch.setattr("coqui_server.transcription.service.Load", lambda _: load)
    service = Service(Settings(), Engines(moonshine), scheduler)
    async with AsyncExitStack() as open:
        await open.enter_async_context(service.session(SessionRequest("live")))
        assert not service.overloaded
        await open.enter_async_context(service.session(SessionRequest("rtp")))
        assert service.overloaded
        assert service.health()["decoders"] == {
            "threads": 2,
            "running": 0,
            "waiting": 0,
            "needed": 1.4,
            "overloaded": True,
        }
        for kind in ("live", "rtp"):
            with pytest.raises(Busy, match=r"2 live sessions keep 1\.4 of 2 decoder threads"):
                await open.enter_async_context(service.session(SessionRequest(kind)))
        await open.enter_async_context(service.session(SessionRequest("file")))
