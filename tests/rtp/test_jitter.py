"""`coqui_server.rtp.jitter`: packets in any order come out in theirs, and all are accounted for."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from coqui_server.rtp.jitter import JitterBuffer
from tests.rtp.wire import fixed, packet

WINDOW = 0.06
PACE = 0.02


class Line:
    """A buffer, and the numbers that came out of it."""

    def __init__(self, first: int = 0, window: float = WINDOW) -> None:
        self.buffer = JitterBuffer(window, first)
        self.out: list[int] = []

    def at(self, time: float, *numbers: int) -> list[int]:
        """What comes out at a time at which these came."""
        for number in numbers:
            assert self.buffer.push(packet(number), time)
        return self.take(time)

    def take(self, time: float, *, flush: bool = False) -> list[int]:
        """What comes out at a time."""
        ready = self.buffer.pop(time, flush=flush)
        assert all(arrival.number % 2**16 == arrival.packet.sequence for arrival in ready)
        self.out += [arrival.number for arrival in ready]
        return [arrival.number for arrival in ready]

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Packets, lost, late and duplicates."""
        buffer = self.buffer
        return buffer.packets, buffer.lost, buffer.late, buffer.duplicates


def test_what_is_in_order_is_not_held() -> None:
    """Every packet whose turn it is comes out at once."""
    line = Line(100)
    assert [line.at(n * PACE, 100 + n) for n in range(5)] == [[100], [101], [102], [103], [104]]
    assert line.counts == (5, 0, 0, 0)


def test_packets_that_overtook_each_other_come_out_in_order() -> None:
    """Within the window a gap is waited for."""
    line = Line()
    assert line.at(0.0, 0) == [0]
    assert line.at(0.04, 2, 3) == []
    assert line.at(0.099) == []
    assert line.at(0.099, 1) == [1, 2, 3]
    assert line.counts == (4, 0, 0, 0)


def test_a_gap_is_given_up_after_the_window() -> None:
    """The wait is counted from the first packet after the gap."""
    line = Line()
    line.at(0.0, 0)
    line.at(0.04, 2)
    assert line.at(0.06, 3) == []
    assert line.at(0.04 + WINDOW) == [2, 3]
    assert line.counts == (3, 1, 0, 0)


def test_each_gap_has_its_own_wait() -> None:
    """What came later behind a second gap is still waited for when the first is given up."""
    line = Line()
    line.at(0.0, 0)
    line.at(0.04, 2)
    line.at(0.08, 4)
    assert line.at(0.10) == [2]
    assert line.at(0.13) == []
    assert line.at(0.15, 3) == [3, 4]
    assert line.counts == (4, 1, 0, 0)


def test_a_flush_waits_for_nothing() -> None:
    """The end of a stream gives all that came."""
    line = Line()
    line.at(0.0, 0, 2, 5)
    assert line.take(0.0, flush=True) == [2, 5]
    assert line.counts == (3, 3, 0, 0)


def test_without_a_window_nothing_is_waited_for() -> None:
    """A window of 0 gives packets as they come and drops those that were overtaken."""
    line = Line(window=0.0)
    assert line.at(0.0, 0, 2) == [0, 2]
    assert line.at(0.001, 1) == []
    assert line.counts == (2, 0, 1, 0)


def test_late_is_not_duplicate() -> None:
    """Late is what was given up and then came; duplicate is what had come."""
    line = Line()
    line.at(0.0, 0, 1, 1)
    assert line.counts == (2, 0, 0, 1)
    line.at(0.1, 4, 4)
    assert line.take(0.2) == [4]
    assert line.counts == (3, 2, 0, 2)
    assert line.at(0.2, 2, 1) == []
    assert line.counts == (3, 1, 1, 3)
    assert line.at(0.2, 2, 4) == []
    assert line.counts == (3, 1, 1, 5), "late but once"
    assert line.buffer.received == 9


@pytest.mark.parametrize("first", [65530, 0])
def test_numbers_go_on_after_65535(first: int) -> None:
    """The count goes on over any number of wraps, and so does the sorting."""
    line, after = Line(first), first + 2**16 + 1000
    for start in range(first, after, 100):
        eights_reversed = sorted(range(start, min(start + 100, after)), key=lambda n: n ^ 7)
        line.at(start * PACE, *eights_reversed)
    assert line.out == list(range(first, after))
    assert line.buffer.highest == after - 1
    assert line.counts == (2**16 + 1000, 0, 0, 0)


def test_a_packet_lost_at_the_wrap() -> None:
    """65535 and 0 may be the ones that are missing."""
    line = Line(65534)
    assert line.at(0.0, 65534, 65537) == [65534]
    assert line.at(WINDOW) == [65537]
    assert line.counts == (2, 2, 0, 0)


def test_what_is_of_this_run() -> None:
    """Up to 3,000 ahead and up to 100 behind, on either side of the wrap (RFC 3550 A.1)."""
    for first in (1000, 65000, 50):
        assert [way for way in range(-5000, 5000) if accepted(first, way)] == [*range(-99, 3000)]


def accepted(first: int, way: int) -> bool:
    """Whether a packet so far from the first one is taken."""
    buffer = JitterBuffer(WINDOW, first)
    buffer.push(packet(first), 0.0)
    return buffer.push(packet(first + way), 0.0)


def late_by(late: float, window: float) -> float:
    """The window after a packet that came so long after the one behind it."""
    line = Line(window=window)
    line.at(50.0, 0, 2)
    assert line.take(50.0 + window) == [2]
    line.at(50.0 + late, 1)
    assert line.buffer.late == 1
    line.at(60.0, 4)
    return next(wait / 1000 for wait in range(1100) if line.take(60.0 + wait / 1000))


@pytest.mark.parametrize(("late", "grown"), [(0.061, 0.061), (0.15, 0.15), (0.2, 0.2), (5, 0.2)])
def test_a_late_packet_widens_the_window(late: float, grown: float) -> None:
    """The next gap is waited for as long as would have been enough, up to 200 ms."""
    assert late_by(late, WINDOW) == pytest.approx(grown, abs=0.0011)


def test_a_window_set_wider_stays() -> None:
    """200 ms are the most that it grows to, not the most that it may be set to."""
    assert late_by(1.0, 0.5) == pytest.approx(0.5, abs=0.0011)


def test_a_duplicate_does_not_widen_the_window() -> None:
    """What comes again, however late, says nothing of the wait."""
    line = Line()
    line.at(0.0, 0, 1)
    line.at(0.19, 0)
    line.at(1.0, 3)
    assert line.at(1.0 + WINDOW) == [3]


def test_what_nobody_takes_is_bounded() -> None:
    """500 packets are held, and the rest are dropped and counted."""
    line = Line()
    for number in range(800):
        line.buffer.push(packet(number), number * PACE)
    assert (line.buffer.packets, line.buffer.overrun) == (500, 300)
    assert line.take(16.0) == list(range(500))
    assert line.at(16.0, 800) == []
    assert line.take(16.0, flush=True) == [800]
    assert line.counts == (501, 300, 0, 0), "those are lost to whoever listens"


def test_a_sender_faster_than_real_time_is_not_held_up() -> None:
    """64 packets behind a gap end the wait for it, however little time went by."""
    line = Line()
    assert line.at(0.0, 0) == [0]
    assert line.at(0.0, *range(2, 66)) == []
    assert line.at(0.0, 66) == list(range(2, 67))
    assert line.counts == (66, 1, 0, 0)


firsts = some.integers(0, 2**16 - 1)
delays = some.floats(0, 0.0599)
fates = some.lists(
    some.one_of(some.none(), delays, some.tuples(delays, delays)), min_size=1, max_size=120
)


@fixed
@given(firsts, fates)
def test_any_order_within_the_window_is_sorted(
    first: int, fates: list[float | tuple[float, float] | None]
) -> None:
    """Lost, doubled and overtaking packets: what came comes out, each once, in order."""
    arrivals: list[tuple[float, int]] = []
    for place, fate in enumerate(fates):
        delays = () if fate is None else (fate,) if isinstance(fate, float) else fate
        arrivals += [(place * PACE + delay, first + place) for delay in delays]
    line = Line(first)
    for time, number in sorted(arrivals):
        line.at(time, number)
    line.take(1e9, flush=True)
    came = sorted({number for _, number in arrivals})
    expected = came[-1] - first + 1 if came else 0
    assert line.out == came
    assert line.counts == (len(came), expected - len(came), 0, len(arrivals) - len(came))


@fixed
@given(
    firsts,
    some.lists(some.tuples(some.integers(-30, 120), some.integers(0, 300)), max_size=150),
)
def test_whatever_comes_is_accounted_for(first: int, moves: list[tuple[int, int]]) -> None:
    """At any pace and in any order, nothing comes out twice or out of order, and sums hold."""
    line = Line(first)
    time = 0
    for pushed, (ahead, wait) in enumerate(moves, 1):
        time += wait
        number = line.buffer.highest + ahead
        line.at(time / 1000, number)
        buffer = line.buffer
        assert buffer.packets + buffer.lost + buffer.late == buffer.expected
        assert buffer.received == pushed
        assert min(line.counts) >= 0
    line.take(time / 1000, flush=True)
    assert line.out == sorted(set(line.out))
    assert len(line.out) == line.buffer.packets
