"""The event loop as a limit of live sessions: its load, its lateness, and who is let in."""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from coqui_server.config.settings import Settings
from coqui_server.engines import Engines
from coqui_server.engines.base import Engine
from coqui_server.exceptions import Busy
from coqui_server.transcription import rehearsal
from coqui_server.transcription.loop import LoopMeter
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.service import Service


async def test_a_blocked_loop_is_late() -> None:
    """Whatever is due while something else runs waits for it, and that is measured."""
    meter = LoopMeter([])
    assert (meter.lateness, meter.overdue) == (0.0, False)
    meter.start()
    while not meter.lateness:
        time.sleep(0.25)  # noqa: ASYNC251
        await asyncio.sleep(0)
    meter.stop()
    assert meter.lateness >= 0.14
    assert meter.overdue


async def test_nothing_is_measured_after_a_stop() -> None:
    """No timer is left behind; a second start measures anew."""
    meter = LoopMeter([])
    meter.start()
    meter.start()
    meter.stop()
    meter.stop()
    meter.start()
    assert not meter.overdue
    meter.stop()


@dataclass
class Past:
    """A session's measurements, in seconds."""

    duration: float
    final_seconds: float = 0.0


@pytest.mark.parametrize(
    ("others", "pace", "expected"),
    [(False, 1.0, 0.05), (False, 0.0, 0.05), (False, 10.0, 0.005), (True, 1.0, 0.2)],
)
async def test_the_cost_of_a_session_is_learned(
    monkeypatch: pytest.MonkeyPatch, others: bool, pace: float, expected: float
) -> None:
    """From the processor time of the loop's thread, for each second of sound or of silence; not
    while files use it as well."""
    loop = asyncio.get_running_loop()
    now = [loop.time()]
    spent = [0.0]
    live = [Past(0.0) for _ in range(4)]
    meter = LoopMeter(live)
    meter.expect(0.2)
    meter.others = others
    monkeypatch.setattr(
        "coqui_server.transcription.loop.time", SimpleNamespace(thread_time=lambda: spent[0])
    )
    monkeypatch.setattr(loop, "time", lambda: now[0])
    meter._schedule()
    for _ in range(3000):
        now[0] += 1.0
        spent[0] += 4 * 0.05
        for session in live:
            session.duration += pace
        meter._measure()
    meter.stop()
    assert meter.cost == pytest.approx(expected, rel=0.05)
    assert meter.demand == pytest.approx(4 * expected, rel=0.05)


@pytest.fixture
async def service(
    moonshine: Engine, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> Service:
    """Two threads, and sessions that need a tenth of one and more of the loop than they do here."""
    monkeypatch.setattr("coqui_server.transcription.rehearsal.cost", lambda _: 0.1)
    monkeypatch.setattr("coqui_server.transcription.rehearsal.loop_cost", lambda _: 0.15)
    monkeypatch.setattr("coqui_server.transcription.service._PROCESSORS", 8)
    service = Service(Settings(), Engines(moonshine), scheduler)
    await service.rehearse()
    return service


async def refused_after(service: Service, count: int) -> str:
    """Open as many live sessions, and give the refusal of the next one; a file is let in."""
    async with AsyncExitStack() as open:
        for _ in range(count):
            await open.enter_async_context(service.session(SessionRequest("live")))
        assert service.health()["decoders"]["overloaded"]
        with pytest.raises(Busy) as refusal:
            await open.enter_async_context(service.session(SessionRequest("rtp")))
        await open.enter_async_context(service.session(SessionRequest("file")))
    assert not service.overloaded
    return str(refusal.value)


async def test_a_burst_fills_the_loop(service: Service) -> None:
    """Before anything is measured, what was rehearsed counts."""
    refusal = await refused_after(service, 5)
    assert "5 live sessions keep 75% of the event loop busy" in refusal


async def test_the_threads_and_the_loop_share_the_processors(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has room for one more, but the machine has not."""
    monkeypatch.setattr("coqui_server.transcription.service._PROCESSORS", 1)
    refusal = await refused_after(service, 3)
    assert "3 live sessions keep 0.8 of 1 processors busy" in refusal


async def test_a_late_loop_takes_no_more(service: Service) -> None:
    """Whatever the figures say: replies are late already."""
    async with service.session(SessionRequest("live")):
        service._loop._late.extend([0.3] * 50)
        assert service.health()["loop"]["late"] == 0.3
        with pytest.raises(Busy, match=r"1 live sessions make everything 0\.3 s late"):
            service.check_room(SessionRequest("live"))
        service.check_room(SessionRequest("file"))


def test_the_rehearsal_measures_work() -> None:
    """A share of the loop: more than nothing, and less than a session in real time may need."""
    assert 0 < rehearsal.loop_cost(Settings()) < 1
