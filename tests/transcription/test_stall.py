"""When a live source is overdue: by the clock, and by the sound it has sent."""

import asyncio
from collections.abc import Iterator

import pytest

from coqui_server.transcription.stall import StallTimer


class Clock:
    """A clock that the test sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """The clock of the timers; no test here waits for the event loop's."""
    clock = Clock()
    monkeypatch.setattr("coqui_server.transcription.stall._now", clock)
    return clock  # type: ignore[return-value]


def test_a_source_is_overdue_when_its_sound_has_been_spoken(clock: Clock) -> None:
    """And the silence has passed after that: it may send three seconds every three seconds."""
    timer = StallTimer(0.5)
    assert not timer.expired
    timer.start(3.0)
    clock.now += 3.4
    assert not timer.expired
    clock.now += 0.1
    assert timer.expired
    timer.start(3.0)
    assert not timer.expired


def test_sound_in_a_burst_counts_together(clock: Clock) -> None:
    """A proxy that collects a second of small messages does not make the source late."""
    timer = StallTimer(0.5)
    for _ in range(10):
        timer.stop()
        timer.start(0.1)
    clock.now += 1.4
    assert not timer.expired
    clock.now += 0.2
    assert timer.expired


def test_sound_at_file_speed_counts_for_five_seconds(clock: Clock) -> None:
    """Else a source that sent an hour at once would be waited for as long."""
    timer = StallTimer(0.5)
    timer.start(3600.0)
    clock.now += 5.6
    assert timer.expired


def test_a_stopped_timer_never_expires(clock: Clock) -> None:
    """While we work, the source waits for us; then it is its turn again for all of its time."""
    timer = StallTimer(0.5)
    timer.start(0.2)
    timer.stop()
    clock.now += 60
    assert not timer.expired
    timer.start(0.0)
    clock.now += 0.4
    assert not timer.expired
    clock.now += 0.2
    assert timer.expired


async def test_waiting(clock: Clock) -> None:
    """It returns once the source is overdue, and not when sound has come in the last moment."""
    timer = StallTimer(0.5)
    waiting = asyncio.create_task(timer.wait())
    await asyncio.sleep(0)
    timer.start(0.2)
    clock.now += 1.0
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    # It looks a second time now, for sound that was on its way.
    timer.start(0.2)
    while not timer.expired:
        assert not waiting.done()
        clock.now += 0.3
        await asyncio.sleep(0.01)
    await waiting
    assert timer.expired
