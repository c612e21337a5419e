"""`coqui_server.rtp.reception`: jitter and reports as RFC 3550 reckons them."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from coqui_server.rtp.jitter import JitterBuffer
from coqui_server.rtp.reception import Reception
from coqui_server.rtp.rtcp import SenderReport
from tests.rtp.wire import fixed, packet

CLOCK = 8000


def test_an_even_stream_has_no_jitter() -> None:
    """Packets as far apart as their timestamps have none, whatever the delay and the wrap."""
    reception = Reception()
    for n in range(200):
        reception.arrived((2**32 - 8000 + 160 * n) % 2**32, 1000.5 + n / 50, CLOCK)
    assert reception.jitter == pytest.approx(0, abs=1 / CLOCK)


def test_jitter_settles_at_the_mean_difference() -> None:
    """Every other packet 10 ms late is 10 ms of jitter, in time."""
    reception = Reception()
    for n in range(300):
        reception.arrived(160 * n, n / 50 + n % 2 / 100, CLOCK)
    assert reception.jitter == pytest.approx(0.010, rel=0.01)


@fixed
@given(
    some.lists(some.integers(0, 4000), min_size=2, max_size=50), some.sampled_from([8000, 48000])
)
def test_jitter_is_that_of_the_rfc(delays: list[int], clock: int) -> None:
    """Section 6.4.1: J += (|D| - J) / 16, D being the change of the transit time."""
    reception, expected = Reception(), 0.0
    for n, delay in enumerate(delays):
        if n:
            expected += (abs(delay - delays[n - 1]) - expected) / 16
        reception.arrived(160 * n, (160 * n + delay + 0.5) / clock, clock)
    assert reception.jitter * clock == pytest.approx(expected)


def test_another_clock_is_no_jitter() -> None:
    """A codec with another clock changes neither what jitter there was nor adds to it."""
    reception = Reception()
    for n in range(300):
        reception.arrived(160 * n, n / 50 + n % 2 / 100, CLOCK)
    reception.arrived(123_456, 6.0, 48_000)
    assert reception.jitter == pytest.approx(0.010, rel=0.01)


def came(buffer: JitterBuffer, *numbers: int) -> None:
    """Put packets of these numbers into a buffer."""
    for number in numbers:
        assert buffer.push(packet(number), 0.0)
    buffer.pop(0.0, flush=True)


def test_the_share_lost_is_since_the_last_report() -> None:
    """`lost` is of the whole stream, `fraction` of what is new, in 256ths."""
    reception, buffer = Reception(), JitterBuffer(0.06, 0)
    assert reception.block(9, buffer, 0.0).fraction == 0, "nothing was expected"
    came(buffer, *(n for n in range(100) if n % 4 != 1))
    block = reception.block(9, buffer, 1.0)
    assert (block.ssrc, block.lost, block.fraction) == (9, 25, 64)
    came(buffer, *range(100, 200))
    block = reception.block(9, buffer, 2.0)
    assert (block.lost, block.fraction) == (25, 0)
    came(buffer, 299)
    block = reception.block(9, buffer, 3.0)
    assert (block.lost, block.fraction) == (124, 99 * 256 // 100)


def test_packets_that_came_twice_make_up_for_lost_ones() -> None:
    """RFC 3550 A.3 counts what came, so that duplicates may make the loss negative."""
    reception, buffer = Reception(), JitterBuffer(0.06, 0)
    came(buffer, 0, 0, 0, 1, 3)
    block = reception.block(9, buffer, 1.0)
    assert (block.lost, block.fraction) == (-1, 0)


def test_a_fraction_fits_its_byte() -> None:
    """All but one in thousands lost is 255 of 256."""
    reception, buffer = Reception(), JitterBuffer(0.06, 0)
    came(buffer, 2998)
    assert reception.block(9, buffer, 0.0).fraction == 255


def test_the_highest_number_has_its_wraps() -> None:
    """The upper half of the number counts the times that 65535 was passed."""
    reception, buffer = Reception(), JitterBuffer(0.06, 65_000)
    for number in range(65_000, 3 * 2**16, 1000):
        came(buffer, number)
    assert reception.block(9, buffer, 0.0).highest == 196_000 == 2 << 16 | 64_928


def test_the_time_of_the_last_sender_report() -> None:
    """The middle of its NTP time goes back, and how long ago it came; zeros if none did."""
    reception, buffer = Reception(), JitterBuffer(0.06, 0)
    block = reception.block(9, buffer, 50.0)
    assert (block.last_report, block.delay) == (0, 0)
    reception.reported(SenderReport(9, 0x11112222_33334444, 0), 100.0)
    block = reception.block(9, buffer, 101.5)
    assert (block.last_report, block.delay) == (0x22223333, 3 << 15)


def test_jitter_is_reported_in_ticks() -> None:
    """A sender reads jitter in its own clock."""
    reception, buffer = Reception(), JitterBuffer(0.06, 0)
    reception.arrived(0, 0.0, CLOCK)
    reception.arrived(160, 0.06, CLOCK)
    assert reception.block(9, buffer, 0.0).jitter == 320 // 16
