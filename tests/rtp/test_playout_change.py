"""`coqui_server.rtp.playout`: calls whose codec, clock or packets change, keys and envelopes."""

import numpy as np
import pytest

from coqui_server.media.formats import Format
from coqui_server.rtp.jitter import Arrival
from coqui_server.rtp.playout import Key, Sound
from tests.rtp.coded import encoded, law, likeness, linear, opus, sine, speech
from tests.rtp.played import L16, PACKET, counting, keys, length, new, numbers, play, sound
from tests.rtp.wire import in_order, key, packet, red

TELEPHONE_EVENT, COMFORT_NOISE, OPUS, RED = 101, 13, 107, 100
PCMU, PCMA, G722 = 0, 8, 9


def at(place: float, payload: bytes, payload_type: int = L16, number: int | None = None) -> Arrival:
    """A packet at a place on a 16 kHz clock in units of 20 ms, which is also its number."""
    number = round(place) if number is None else number
    made = packet(number, round(place * PACKET), payload, payload_type=payload_type)
    return Arrival(number, made, place * 0.02)


def test_the_codec_may_change_in_mid_call() -> None:
    """Each packet is decoded as its type says, and the clock goes on."""
    narrow, wide = speech(8000), speech(16_000)
    payloads = [
        *((PCMU, payload) for payload in law(narrow)[:25]),
        *((PCMA, payload) for payload in law(narrow, "alaw")[25:50]),
        *((G722, payload) for payload in encoded("g722", wide[16_000:24_000], 16_000)),
        *((10, payload) for payload in linear(narrow, 160)[75:]),
    ]
    arrivals = [
        Arrival(n, packet(n, n * 160, payload, payload_type=kind), n / 50)
        for n, (kind, payload) in enumerate(payloads)
    ]
    playout = new()
    pieces = play(arrivals, playout, batch=4)
    assert length(pieces) == len(wide)
    assert str(playout.format) == "L16/8000"
    expected = sound(play(in_order(law(narrow))))
    expected[16_000:24_000] = wide[16_000:24_000]
    for start in range(0, 32_000, 8000):
        both = sound(pieces)[start : start + 8000], expected[start : start + 8000]
        assert likeness(*both, shift=40) > 0.95, f"from {start} on"


def test_a_codec_with_another_clock_is_placed_by_its_arrival() -> None:
    """Timestamps of two clocks cannot be compared."""
    before = in_order(counting(3), ticks=PACKET, payload_type=L16)
    after = in_order(
        opus(speech(48_000), 48_000)[:5],
        ticks=960,
        payload_type=OPUS,
        sequence=3,
        timestamp=77_777,
        time=0.06 + 0.1,
    )
    pieces = play([*before, *after])
    assert length(pieces) == (3 + 5 + 5) * PACKET


@pytest.mark.parametrize("milliseconds", [10, 30, 40, 60])
def test_the_packets_length_may_change_in_mid_call(milliseconds: int) -> None:
    """20 ms and then others, with one of them lost."""
    pcm = speech(16_000, 1.92)
    size = 16 * milliseconds
    before = in_order(linear(pcm[:9600], PACKET), ticks=PACKET, payload_type=L16)
    after = in_order(
        linear(pcm[9600:], size),
        ticks=size,
        pace=milliseconds / 1000,
        payload_type=L16,
        sequence=len(before),
        timestamp=9600,
        time=0.6,
    )
    assert np.array_equal(sound(play([*before, *after])), pcm)
    expected = pcm.copy()
    expected[9600 + 3 * size : 9600 + 4 * size] = 0
    assert np.array_equal(sound(play([*before, *after[:3], *after[4:]])), expected)


def wrong(ticks: int, payload_type: int, payloads: list[bytes], lost: range) -> int:
    """Samples heard of a stream whose packets of 20 ms are so many ticks apart."""
    arrivals = in_order(payloads, ticks=ticks, payload_type=payload_type, timestamp=2**32 - 5000)
    return length(play([a for a in arrivals if a.number not in lost], batch=5))


@pytest.mark.parametrize("lost", [range(0), range(20, 23), range(20, 27)])
@pytest.mark.parametrize(
    ("codec", "ticks"),
    [("G722", 320), ("opus", 320), ("opus", 160), ("PCMU", 160), ("L16", 480), ("L16", 960)],
)
def test_a_wrong_clock_is_found_out(codec: str, ticks: int, lost: range) -> None:
    """G.722's clock taken for 16 kHz, Opus's for that of its sound: neither stretched nor cut."""
    payload_type, payloads = {
        "G722": (G722, encoded("g722", speech(16_000, 1), 16_000)),
        "opus": (OPUS, opus(speech(48_000, 1), 48_000)),
        "PCMU": (PCMU, law(speech(8000, 1))),
        "L16": (10, linear(speech(8000, 1), 160)),
    }[codec]
    assert wrong(ticks, payload_type, payloads, lost) == 50 * PACKET


def test_a_right_clock_is_found_again() -> None:
    """A silence of one packet's length, met by a network that caught up, does not last."""
    arrivals = [at(place, b"\0\1" * PACKET, number=n) for n, place in enumerate([0, 2, 3, 4, 14])]
    hurried = [arrival._replace(time=n * 0.02) for n, arrival in enumerate(arrivals)]
    assert length(play(arrivals)) == 15 * PACKET
    assert length(play(hurried)) == 5 * PACKET, "packets in a row and in time have no gap"
    marked = [
        arrival._replace(packet=arrival.packet._replace(marker=arrival.number in (1, 4)))
        for arrival in hurried
    ]
    assert length(play(marked)) == 15 * PACKET, "a marker says that there was a silence"


def test_comfort_noise_is_silence() -> None:
    """It stands where nobody speaks, is never decoded, and its level does not matter."""
    pcm = sine(440, 8000, 0.4)
    payloads = law(pcm)
    arrivals = [
        *in_order(payloads[:5]),
        Arrival(5, packet(5, 800, b"\x1e", payload_type=COMFORT_NOISE), 0.1),
        Arrival(6, packet(6, 1600, b"\x3f\1\2\3", payload_type=COMFORT_NOISE), 0.2),
        *in_order(payloads[15:], sequence=7, timestamp=2400, time=0.3),
    ]
    pieces = play(arrivals)
    assert length(pieces) == 20 * PACKET
    heard = sound(pieces)
    assert np.abs(heard[1700:4700]).max() <= 2
    assert np.abs(heard[:1600]).max() > 7000 < np.abs(heard[4800:]).max()


def test_comfort_noise_may_come_first() -> None:
    """A call that begins in silence begins with its silence."""
    noise = Arrival(0, packet(0, 0, b"\x1e", payload_type=COMFORT_NOISE), 0.0)
    assert length(play([noise, *in_order(law(speech(8000, 0.1)), sequence=1, timestamp=800)])) == (
        10 * PACKET
    )


def test_what_nobody_explained_is_counted() -> None:
    """Its packets are silence as long as they were, and not guessed at."""
    payloads = counting(5)
    arrivals = [at(place, payload) for place, payload in enumerate(payloads)]
    arrivals[2] = at(2, payloads[2], payload_type=97)
    arrivals[3] = at(3, payloads[3], payload_type=5)
    playout = new()
    assert numbers(play(arrivals, playout)) == [1, 2, 0, 0, 5]
    assert playout.unknown == 2
    assert str(playout.format) == "L16/16000"


EVENTS = {TELEPHONE_EVENT: Format.parse("telephone-event/16000"), RED: Format.parse("red/16000")}


def pressed(start: float, durations: range) -> list[Arrival]:
    """A key as many packets, numbered from where it starts."""
    return [
        at(start, key(5, duration), TELEPHONE_EVENT, round(start) + n)
        for n, duration in enumerate(durations)
    ]


def test_a_key_in_place_of_sound_is_silence_as_long() -> None:
    """It is pressed where the sound stopped."""
    payloads = counting(10)
    arrivals = [
        *(at(n, payloads[n]) for n in range(3)),
        *pressed(3, range(320, 4 * 320 + 1, 320)),
        *(at(n, payloads[n]) for n in range(9, 10)),
    ]
    pieces = play(arrivals, new(EVENTS))
    assert keys(pieces) == [("5", 3 * PACKET)]
    assert numbers(pieces) == [1, 2, 3, 0, 0, 0, 0, 0, 0, 10]


@pytest.mark.parametrize("batch", [1, 4, 100])
def test_the_tone_beside_a_key_is_not_heard(batch: int) -> None:
    """A gateway that sends both has its tone cut out, from the key's start to 40 ms after it."""
    numbered, arrivals = iter(range(100)), []
    for place, payload in enumerate(counting(20)):
        if 5 <= place < 10:
            event = key(5, (place - 4) * PACKET, end=place == 9)
            arrivals.append(at(5, event, TELEPHONE_EVENT, next(numbered)))
        arrivals.append(at(place, payload, number=next(numbered)))
    pieces = play(arrivals, new(EVENTS), batch=batch)
    assert keys(pieces) == [("5", 5 * PACKET)]
    assert numbers(pieces) == [*range(1, 6), *[0] * 7, *range(13, 21)]


def test_a_key_alone() -> None:
    """A call may be nothing but keys."""
    assert play(pressed(0, range(160, 1600, 160)), new(EVENTS)) == [Key("5")]


def enveloped(place: int, kind: int, payload: bytes) -> Arrival:
    """A packet with the one before it again, as RED."""
    return at(place, red((kind, payload), (kind, PACKET, payload)), RED)


def test_redundant_packets_are_unwrapped() -> None:
    """The newest block is played once, sound and keys alike."""
    payloads = counting(4)
    arrivals = [enveloped(n, L16, payload) for n, payload in enumerate(payloads)]
    arrivals.append(enveloped(4, TELEPHONE_EVENT, key(11, 160)))
    playout = new(EVENTS)
    pieces = play(arrivals, playout)
    assert numbers(pieces) == [1, 2, 3, 4]
    assert keys(pieces) == [("#", 4 * PACKET)]
    assert str(playout.format) == "L16/16000"


def test_bad_envelopes_are_counted_and_silent() -> None:
    """Cut off, unknown inside, or an envelope in an envelope; what is around them is heard."""
    payloads = counting(9)
    arrivals = [at(n, payload) for n, payload in enumerate(payloads)]
    arrivals[2] = at(2, b"\x80\0\0\xff", RED)
    arrivals[4] = at(4, red((97, payloads[4])), RED)
    arrivals[5] = at(5, red((RED, red((L16, payloads[5])))), RED)
    arrivals[7] = at(7, b"\1\2", TELEPHONE_EVENT)
    playout = new(EVENTS)
    assert numbers(play(arrivals, playout)) == [1, 2, 0, 4, 0, 0, 7, 0, 9]
    assert (playout.malformed, playout.unknown) == (2, 2)


def test_an_empty_packet_is_no_sound() -> None:
    """Packets of padding alone keep a path open; they are not 20 ms of anything."""
    payloads = counting(5)
    arrivals = [at(n, payload if n != 2 else b"") for n, payload in enumerate(payloads)]
    assert numbers(play(arrivals)) == [1, 2, 0, 4, 5]


def test_neighbouring_sounds_are_one() -> None:
    """However many losses lie between, the session is written to once."""
    arrivals = [at(n, payload) for n, payload in enumerate(counting(40)) if n % 3 != 1]
    assert [type(piece) for piece in new().play(arrivals)] == [Sound]
