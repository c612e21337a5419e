"""How much silence lies before a packet, whatever the sender's timestamps do."""

import itertools
from collections.abc import Iterator, Sequence

import pytest

from coqui_server.rtp.clock import SenderClock

RATE, UNITS, LENGTH = 8000, 160, 0.02


def silences(
    steps: Sequence[int], elapsed: Sequence[float], *, missing: int = 0, burst: bool = False
) -> list[float]:
    """The silence before each packet, given the steps of timestamps and of arrival."""
    clock = SenderClock()
    return [
        clock.gap(step, UNITS, RATE, missing, seconds, burst=burst, marked=False)
        for step, seconds in zip(steps, elapsed, strict=True)
    ]


def wobbling(milliseconds: int, count: int) -> Iterator[int]:
    """Steps of timestamps that are early and late by turns."""
    for place in range(count):
        offset = milliseconds * RATE // 1000
        yield UNITS + (2 * offset if place % 2 else -2 * offset)


@pytest.mark.parametrize("milliseconds", [0, 1, 5, 9])
def test_timestamps_that_wobble(milliseconds: int) -> None:
    """Packets in a row and in time follow each other."""
    steps = list(wobbling(milliseconds, 500))
    assert sum(silences(steps, [LENGTH] * 500)) == pytest.approx(0, abs=0.001)


@pytest.mark.parametrize("jitter", [0.0, 0.015])
def test_some_timestamps_far_ahead(jitter: float) -> None:
    """Sixty milliseconds ahead in every tenth packet, and back in the next."""
    pattern = [UNITS] * 8 + [UNITS + 480, UNITS - 480]
    elapsed = [LENGTH + (jitter if place % 2 else -jitter) for place in range(500)]
    assert sum(silences(pattern * 50, elapsed)) < 0.1


def test_one_pair_of_doubled_steps() -> None:
    """Is no other clock."""
    steps = [UNITS] * 50 + [2 * UNITS, 2 * UNITS] + [UNITS] * 200
    assert sum(silences(steps, [LENGTH] * 252)) == pytest.approx(0, abs=0.001)


@pytest.mark.parametrize("ratio", [0.5, 1.1, 2.0, 5.5125])
def test_a_clock_of_another_rate(ratio: float) -> None:
    """It is learned: a pause later on has its right length, in units of that clock."""
    steps = [round(UNITS * ratio)] * 300
    pause = [round((LENGTH + 1.5) * RATE * ratio)]
    before = silences(steps, [LENGTH] * 300)
    after = silences([*steps, *pause], [*[LENGTH] * 300, LENGTH + 1.5])
    assert sum(before) == pytest.approx(0, abs=0.001)
    assert after[-1] == pytest.approx(1.5, abs=0.02)


@pytest.mark.parametrize("pause", [0.1, 0.5, 4.0, 60.0])
def test_a_pause_that_both_tell_of(pause: float) -> None:
    """Has its length by the timestamps."""
    steps = [UNITS] * 100 + [UNITS + round(pause * RATE)]
    elapsed = [LENGTH] * 100 + [LENGTH + 0.9 * pause]
    assert silences(steps, elapsed)[-1] == pytest.approx(pause)


@pytest.mark.parametrize(("burst", "expected"), [(False, 4.0), (True, 0.0)])
def test_a_stop_that_timestamps_do_not_count(burst: bool, expected: float) -> None:
    """Arrival rules, unless the network held the packets back and many come at once."""
    clock = SenderClock()
    for _ in range(100):
        clock.gap(UNITS, UNITS, RATE, 0, LENGTH, burst=False, marked=False)
    stop = clock.gap(UNITS, UNITS, RATE, 0, LENGTH + 4.0, burst=burst, marked=False)
    assert stop == pytest.approx(expected)


def test_lost_packets_are_silence() -> None:
    """As long as they would have been, though the timestamps wobble."""
    clock = SenderClock()
    gap = clock.gap(4 * UNITS + 40, UNITS, RATE, 3, 4 * LENGTH, burst=False, marked=False)
    assert gap == pytest.approx(3 * LENGTH)


def test_a_sender_faster_than_real_time() -> None:
    """Its timestamps are all there is."""
    steps = [UNITS] * 100 + [UNITS + 2 * RATE]
    assert silences(steps, [0.001] * 101)[-1] == pytest.approx(2.0)


def test_a_marked_packet() -> None:
    """The sender says that it was silent."""
    clock = SenderClock()
    steps = itertools.repeat(UNITS, 50)
    assert all(
        clock.gap(step, UNITS, RATE, 0, LENGTH, burst=False, marked=False) == 0 for step in steps
    )
    marked = clock.gap(UNITS + RATE, UNITS, RATE, 0, LENGTH, burst=False, marked=True)
    assert marked == pytest.approx(1.0)
