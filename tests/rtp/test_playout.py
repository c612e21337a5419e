"""`coqui_server.rtp.playout`: every packet is heard at its place on the stream's own clock."""

import tracemalloc

import numpy as np
import pytest
import soxr
from hypothesis import given
from hypothesis import strategies as some

from coqui_server.rtp.jitter import Arrival
from coqui_server.rtp.playout import Key, Pause, Sound
from tests.rtp.coded import encoded, law, likeness, linear, opus, sine, speech
from tests.rtp.played import (
    ASTERISKS,
    L16,
    PACKET,
    counting,
    length,
    new,
    numbers,
    pauses,
    play,
    sound,
)
from tests.rtp.wire import fixed, in_order, packet

HOUR = 3600


def spaced(*places: int, pace: float = 0.02) -> list[Arrival]:
    """Packets without a gap in their numbers, each at a place on the clock in units of 20 ms."""
    return [
        Arrival(
            n,
            packet(n, 1000 + place * PACKET, payload, payload_type=L16),
            100.0 + place * pace,
        )
        for n, (place, payload) in enumerate(zip(places, counting(len(places)), strict=True))
    ]


def test_packets_in_a_row_are_one_sound() -> None:
    """Nothing between them, nothing lost of them."""
    pcm = speech(16_000)
    pieces = new().play(in_order(linear(pcm, PACKET), ticks=PACKET, payload_type=L16))
    assert len(pieces) == 1
    assert np.array_equal(sound(pieces), pcm)


def test_telephone_sound_is_as_long_and_as_it_was() -> None:
    """8 kHz comes out at 16 kHz, in time to the sample."""
    pieces = play(in_order(law(speech(8000))), batch=3)
    expected = soxr.resample(speech(8000), 8000, 16_000)
    assert length(pieces) == len(expected)
    assert likeness(sound(pieces), expected) > 0.99


def test_a_lost_packet_is_silence_as_long() -> None:
    """The packets around it stay where they are."""
    arrivals = in_order(counting(8), ticks=PACKET, payload_type=L16)
    assert numbers(play([*arrivals[:2], *arrivals[4:7]])) == [1, 2, 0, 0, 5, 6, 7]
    at_once = in_order(counting(8), ticks=PACKET, payload_type=L16, pace=0)
    assert numbers(play([*at_once[:2], *at_once[3:5], *at_once[6:]])) == [1, 2, 0, 4, 5, 0, 7, 8]


def test_what_was_not_sent_is_silence_as_long() -> None:
    """Numbers go on and timestamps jump: nobody spoke (DTX)."""
    assert numbers(play(spaced(0, 1, 6, 7))) == [1, 2, 0, 0, 0, 0, 3, 4]
    assert numbers(play(spaced(0, 1, 3, 4))) == [1, 2, 0, 3, 4], "as long as one packet"


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_batches_do_not_matter(batch: int) -> None:
    """The same comes out whenever it is asked for."""
    arrivals = spaced(0, 1, 2, 5, 6, 30, 31, 32, 400, 401)
    assert np.array_equal(sound(play(arrivals, batch=batch)), sound(play(arrivals)))
    assert pauses(play(arrivals, batch=batch)) == pauses(play(arrivals)) == [366 * PACKET - 31_680]


def test_an_hour_on_hold_is_two_seconds_of_samples() -> None:
    """The clock goes on by the hour; memory does not."""
    arrivals = spaced(0, 1, HOUR * 50, HOUR * 50 + 1)
    tracemalloc.start()
    pieces = play(arrivals)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert length(pieces) == (HOUR * 50 + 2) * PACKET
    assert [type(piece) for piece in pieces] == [Sound, Pause, Sound]
    assert pauses(pieces) == [(HOUR * 50 - 2 - 100) * PACKET]
    assert numbers(pieces) == [1, 2, *[0] * 100, 3, 4]
    assert most < 2**20


def test_an_hour_on_hold_of_a_narrow_call() -> None:
    """What the resampler still holds comes before the pause, not after it."""
    arrivals = in_order(law(sine(440, 8000, 1)))
    moved = [
        arrival._replace(
            packet=arrival.packet._replace(timestamp=arrival.packet.timestamp + HOUR * 8000),
            time=arrival.time + HOUR,
        )
        for arrival in arrivals[25:]
    ]
    first, pause, *rest = play([*arrivals[:25], *moved])
    assert pause == Pause((HOUR - 2) * 16_000)
    assert (length([first]), length(rest)) == (8000 + 32_000, 8000)
    assert np.abs(sound([first])[9000:]).max() <= 2, "silence"


@pytest.mark.parametrize("start", [2**32 - 3 * PACKET, 2**32 - 3 * PACKET - 7, 2**32 - 1])
def test_timestamps_go_on_after_the_highest(start: int) -> None:
    """A wrap in the middle of a loss is no gap of a day."""
    arrivals = in_order(counting(8), ticks=PACKET, timestamp=start, payload_type=L16)
    assert numbers(play(arrivals)) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert numbers(play([*arrivals[:2], *arrivals[5:]])) == [1, 2, 0, 0, 0, 6, 7, 8]


@pytest.mark.parametrize("back", [1, PACKET, 8000, 2**31 - 10_000])
def test_timestamps_that_go_back_are_a_new_clock(back: int) -> None:
    """No gap, and what is lost after that is silence again."""
    first = in_order(counting(3), ticks=PACKET, timestamp=5000, payload_type=L16)
    second = in_order(
        counting(4, first=4),
        ticks=PACKET,
        timestamp=5000 + 3 * PACKET - back,
        payload_type=L16,
        sequence=3,
        time=0.06,
    )
    assert numbers(play([*first, *second[:2], *second[3:]])) == [1, 2, 3, 4, 5, 0, 7]


def jump(ticks: int, seconds: float) -> int:
    """Samples of silence for a packet whose timestamp and arrival are so far after the last."""
    one = packet(0, 0, counting(1)[0], payload_type=L16)
    pieces = play([Arrival(0, one, 50.0), Arrival(1, one._replace(timestamp=ticks), 50 + seconds)])
    return length(pieces) - 2 * PACKET


def test_a_jump_that_the_arrival_does_not_bear_out() -> None:
    """A timestamp far ahead counts only if the time went by; else the arrival does."""
    minute = 60 * 16_000
    assert jump(minute, 60.0) == minute - PACKET
    assert jump(minute, 31.0) == minute - PACKET, "a network that caught up"
    assert jump(minute, 0.02) == 0
    assert jump(minute, 5.0) == 5 * 16_000 - PACKET
    assert jump(9 * 16_000, 0.02) == 0, "packets in a row and in time follow each other"


def test_a_restart_is_as_long_as_it_took() -> None:
    """Numbers and timestamps that begin anew are placed by their arrival."""
    playout = new()
    before = playout.play(in_order(counting(3), ticks=PACKET, payload_type=L16))
    between = playout.restart(0.06 + 0.10, ASTERISKS)
    again = in_order(
        counting(2, first=7), ticks=PACKET, timestamp=10**9, payload_type=L16, sequence=900
    )
    assert numbers([*before, *between, *playout.play(again)]) == [1, 2, 3, 0, 0, 0, 0, 0, 7, 8]


def test_a_restart_before_anything_came() -> None:
    """There is nothing to be silent after, nor is there if packets overlap."""
    assert length(new().restart(5.0, ASTERISKS)) == 0
    playout = new()
    playout.play(spaced(0, 1))
    assert length(playout.restart(100.0, ASTERISKS)) == 0


def test_a_flush_gives_what_is_held() -> None:
    """After it, the stream goes on at its place."""
    playout = new()
    arrivals = in_order(law(sine(440, 8000, 2)))
    pieces = [*playout.play(arrivals[:40]), *playout.flush()]
    assert length(pieces) == 40 * PACKET
    assert playout.flush() == []
    pieces += [*playout.play(arrivals[60:]), *playout.flush()]
    assert length(pieces) == 100 * PACKET


def test_nothing_at_all() -> None:
    """No packets, no pieces."""
    assert play([]) == []


CODECS = {
    "PCMU": (0, 160, law(speech(8000, 0.5))),
    "G722": (9, 160, encoded("g722", speech(16_000, 0.5), 16_000)),
    "G729": (18, 160, [bytes(20)] * 25),
    "L16 at 16 kHz": (118, 320, linear(speech(16_000, 0.5), 320)),
    "L16 at 44.1 kHz": (125, 882, linear(speech(44_100, 0.5), 882)),
    "opus": (107, 960, opus(speech(48_000, 0.5), 48_000)),
}
gaps = some.one_of(some.just(0), some.just(0), some.integers(0, 20), some.integers(0, 800))


@pytest.mark.parametrize("codec", CODECS)
@fixed
@given(
    lost=some.lists(gaps, min_size=1, max_size=25),
    unsent=some.lists(gaps, min_size=25, max_size=25),
    start=some.integers(0, 2**32 - 1),
    batch=some.integers(1, 10),
)
def test_a_stream_is_as_long_as_its_timestamps_say(
    codec: str, lost: list[int], unsent: list[int], start: int, batch: int
) -> None:
    """Whatever was lost or not sent, to the sample, and however it was asked for."""
    payload_type, ticks, payloads = CODECS[codec]
    arrivals, number, place = [], 7, 0
    for missing, silent, payload in zip(lost, unsent, payloads, strict=False):
        number, place = number + 1 + missing, place + 1 + missing + silent
        made = packet(
            number, start + place * ticks, payload, payload_type=payload_type, marker=silent > 0
        )
        arrivals.append(Arrival(number, made, place * 0.02))
    first = 1 + lost[0] + unsent[0]
    pieces = play(arrivals, batch=batch)
    assert length(pieces) == (place - first + 1) * PACKET
    assert not any(isinstance(piece, Key) for piece in pieces)


@pytest.mark.parametrize("hertz", [300, 1000, 3100])
@pytest.mark.parametrize("batch", [1, 3])
def test_no_click_where_packets_meet(hertz: float, batch: int) -> None:
    """A tone from packets is the tone resampled in one go, and has nothing beside it."""
    tone = sine(hertz, 8000, 2)
    arrivals = in_order(linear(tone, 160), payload_type=10)
    heard = sound(play(arrivals, batch=batch))
    whole = soxr.resample(tone, 8000, 16_000, quality="HQ")
    assert np.abs(heard.astype(int) - whole).max() <= 2
    assert beside(heard, hertz) < -80


def beside(pcm: np.ndarray[tuple[int], np.dtype[np.int16]], hertz: float) -> float:
    """The strongest of what is not within 20 Hz of a tone, in decibels below it."""
    power = np.abs(np.fft.rfft(pcm * np.blackman(len(pcm)))) ** 2
    near = np.abs(np.fft.rfftfreq(len(pcm), 1 / 16_000) - hertz) < 20
    return float(10 * np.log10(power[~near].max() / power[near].max()))
