"""`coqui_server.rtp.stream`: one side of a call stays one, whatever its source does."""

import pytest

from coqui_server.rtp.playout import Key, Pause
from tests.rtp.coded import law, speech
from tests.rtp.played import L16, PACKET, keys, length, numbers, pauses, sound
from tests.rtp.streamed import PAYLOADS, STALL, counts, opened, receive, rest, sent
from tests.rtp.wire import key, packet


def test_the_packets_that_opened_it_are_heard() -> None:
    """The first word is in them, in whatever order they came."""
    (one, two, three), time = (made for made, _ in sent([1, 2, 3])), 100.0
    stream = opened([(two, time), (one, time), (three, time)])
    receive(stream, sent([4, 5], 100.06))
    assert numbers(rest(stream)) == [1, 2, 3, 4, 5]
    assert counts(stream) == (5, 0, 0, 0)


def test_the_packets_that_opened_it_may_wrap() -> None:
    """65534 and 65535 come before 0."""
    stream = opened(sent([1, 2, 3], sequence=65_532 + 1))
    assert numbers(rest(stream)) == [1, 2, 3]
    assert counts(stream) == (3, 0, 0, 0)


def test_sound_comes_out_as_soon_as_it_is_in_order() -> None:
    """Only behind a gap is anything held back, and only for the window."""
    stream = opened(sent([1, 2]))
    assert numbers(stream.take(100.02)) == [1, 2]
    receive(stream, sent([4], 100.06))
    assert stream.take(100.11) == []
    assert numbers(stream.take(100.12)) == [0, 4]
    assert stream.pending


def test_numbers_that_begin_anew() -> None:
    """Two packets in a row with far numbers are a sender that restarted, and both are heard."""
    stream = opened(sent([1, 2, 3]))
    receive(stream, sent([4, 5], 100.06, sequence=30_000, timestamp=10**9))
    receive(stream, sent([6, 7], 100.10, sequence=30_000, timestamp=10**9))
    assert numbers(stream.take(101.0)[:-1]) == [1, 2, 3, 4, 5, 6, 7]
    assert counts(stream) == (7, 0, 0, 0)


def test_a_restart_is_placed_by_its_arrival() -> None:
    """Its timestamps say nothing of the time since; its first packet's arrival does."""
    stream = opened(sent([1, 2, 3]))
    receive(stream, sent([4, 5], 100.06 + 0.04, sequence=30_000, timestamp=77))
    assert numbers(rest(stream)) == [1, 2, 3, 0, 0, 4, 5]


def test_what_was_before_a_restart_is_not_waited_for() -> None:
    """A gap in the old numbers is given up when new ones begin."""
    stream = opened(sent([1, 2]))
    receive(stream, sent([4], 100.06))
    receive(stream, sent([5, 6], 100.08, sequence=30_000))
    assert numbers(stream.take(100.1)) == [1, 2, 0, 4, 5, 6]
    assert counts(stream) == (5, 1, 0, 0)


def test_a_stray_packet_is_not_heard() -> None:
    """One far number alone changes nothing, nor do several that are not in a row."""
    stream = opened(sent([1, 2, 3]))
    for sequence in (30_000, 40_000, 50_000, 49_999, 30_000):
        receive(stream, sent([9], 100.05, sequence=sequence))
    receive(stream, sent([4, 5], 100.06))
    assert numbers(rest(stream)) == [1, 2, 3, 4, 5]
    assert counts(stream) == (5, 0, 0, 0)


def test_many_restarts_are_bounded() -> None:
    """A sender that always starts anew is not kept for ever, and its end is heard."""
    stream = opened(sent([1, 2]))
    for turn in range(100):
        fresh = sent([1, 2, 3], 101.0 + turn, sequence=turn % 2 * 30_000 + 3000)
        receive(stream, fresh)
    pieces = rest(stream)
    assert numbers(pieces)[-3:] == [1, 2, 3]
    assert len(sound(pieces)) <= 17 * 2.1 * 16_000
    assert counts(stream)[0] == 302


def test_another_ssrc_goes_on_with_the_stream() -> None:
    """Silence between the two is as long as it was, and their counts add up."""
    stream = opened(sent([1, 2, 3]))
    receive(stream, sent([5], 100.08))
    stream.resume(sent([6, 7], 100.20, sequence=999, timestamp=5, ssrc=0xBEEF))
    receive(stream, sent([9], 100.26, sequence=999, timestamp=5, ssrc=0xBEEF))
    assert numbers(rest(stream)) == [1, 2, 3, 0, 5, 0, 0, 0, 0, 0, 6, 7, 0, 9]
    assert counts(stream) == (7, 2, 0, 0)
    assert (stream.ssrc, stream.statistics()["ssrc"]) == (0xBEEF, "0000beef")
    assert stream.heard == pytest.approx(100.26)


def test_an_hour_between_two_sources_is_a_pause() -> None:
    """A hold that ends with a new SSRC does not fill memory either."""
    stream = opened(sent([1, 2]))
    stream.resume(sent([3, 4], 100.0 + 3600, ssrc=2))
    pieces = rest(stream)
    assert length(pieces) == pytest.approx(3600 * 16_000 + 2 * PACKET, abs=1)
    assert len(sound(pieces)) == 4 * PACKET + 2 * 16_000


def test_a_stall_is_told_once() -> None:
    """The speaker is taken to have paused: what is held comes out, and the utterance may end."""
    stream = opened(sent([1, 2]))
    receive(stream, sent([4], 100.06))
    assert numbers(stream.take(100.06)) == [1, 2]
    assert numbers(stream.take(100.13)) == [0, 4]
    assert stream.take(100.06 + STALL - 0.01) == []
    assert stream.pending
    assert stream.take(100.06 + STALL + 0.01) == [Pause(0)]
    assert not stream.pending
    assert stream.take(200.0) == []
    receive(stream, sent([50], 100.98))
    assert stream.pending
    assert length(stream.take(101.1)) == 46 * PACKET
    assert pauses(stream.take(103.0)) == [0]
    assert pauses(stream.take(104.0)) == []


def test_a_stall_ends_the_wait_for_a_gap() -> None:
    """A window set wider than that is not waited out."""
    stream = opened(sent([1, 2]), jitter="1 s")
    receive(stream, sent([4], 100.06))
    assert numbers(stream.take(100.06 + STALL - 0.01)) == [1, 2]
    assert numbers(stream.take(100.06 + STALL + 0.01)) == [0, 4]


def test_a_stall_empties_the_resampler() -> None:
    """The end of the last word does not wait in it for the next one."""
    narrow = law(speech(8000, 0.4))
    first = [(packet(n, n * 160, narrow[n]), 100 + n / 50) for n in range(20)]
    stream = opened(first)
    assert length(stream.take(100.4)) < 20 * PACKET
    assert stream.take(101.0)[-1] == Pause(0)
    again = opened(first)
    assert length(again.take(101.0)) == 20 * PACKET


def test_a_key_between_packets_of_sound() -> None:
    """Keys come out at their place in the stream."""
    stream = opened(sent([1, 2]))
    stream.receive(packet(3, 3 * PACKET, key(9, 160), payload_type=101), 100.04)
    receive(stream, sent([4], 100.06))
    pieces = rest(stream)
    assert Key("9") in pieces
    assert keys(pieces) == [("9", 2 * PACKET)]


def test_what_nobody_takes_is_bounded() -> None:
    """A session that cannot keep up loses sound, not memory."""
    stream = opened([(packet(n, n * PACKET, PAYLOADS[7], payload_type=L16), 100.0) for n in (0, 1)])
    for n in range(2, 2000):
        stream.receive(packet(n, n * PACKET, PAYLOADS[7], payload_type=L16), 100.0 + n / 50)
    assert len(sound(rest(stream))) == 500 * PACKET
    assert stream.statistics()["overrun"] == 1500
