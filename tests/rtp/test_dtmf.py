"""`coqui_server.rtp.dtmf`: one press for each key, and its tone's place."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from coqui_server.exceptions import MalformedPacket
from coqui_server.rtp.dtmf import Keypad
from tests.rtp.wire import fixed, key, packet

CLOCK = 8000
LONGEST = 0xFFFF


def event(code: int, start: int = 0, length: int = 800, step: int = 160) -> list[tuple[int, bytes]]:
    """The packets of one key as gateways send them: growing, and the end three times."""
    growing = [key(code, duration) for duration in range(step, length, step)]
    return [(start, payload) for payload in [*growing, *[key(code, length, end=True)] * 3]]


def pressed(packets: list[tuple[int, bytes]], keypad: Keypad | None = None) -> str:
    """The keys that these timestamps and payloads press."""
    keypad = keypad or Keypad()
    presses = [keypad.press(packet(0, timestamp, payload), CLOCK) for timestamp, payload in packets]
    return "".join(press for press in presses if press)


@pytest.mark.parametrize(("code", "digit"), [*enumerate("0123456789*#ABCD")])
def test_each_key_is_pressed_once(code: int, digit: str) -> None:
    """Its many packets, and its end sent three times, are one press at the first of them."""
    assert pressed(event(code)) == digit
    assert pressed(event(code)[:1]) == digit


@fixed
@given(some.data())
def test_packets_of_a_key_may_be_lost(data: some.DataObject) -> None:
    """Any one packet of a key is enough, the last as well as the first."""
    packets = event(5, start=2**32 - 400)
    kept = data.draw(some.sets(some.integers(0, len(packets) - 1), min_size=1))
    assert pressed([packets[place] for place in sorted(kept)]) == "5"


def test_the_same_key_twice_is_two_presses() -> None:
    """Another timestamp is another press, even where the first one's end was lost."""
    assert pressed(event(1) + event(1, start=1600)) == "11"
    assert pressed(event(1)[:2] + event(1, start=1600)[-1:]) == "11"


def test_a_number_that_is_dialled() -> None:
    """Keys come in the order they were pressed."""
    dialled = [
        packet
        for place, code in enumerate([1, 5, 5, 10, 0, 11])
        for packet in event(code, start=place * 1600)
    ]
    assert pressed(dialled) == "155*0#"


@pytest.mark.parametrize("start", [0, 2**32 - 100_000])
def test_a_key_held_for_long_is_one_press(start: int) -> None:
    """Segments of 65535 ticks that follow each other are one event (RFC 4733 2.5.1.3)."""
    held = [
        *[(start, key(7, duration)) for duration in (32000, 64000, LONGEST)],
        *[(start + LONGEST, key(7, duration)) for duration in (160, 32000, LONGEST)],
        *event(7, start=start + 2 * LONGEST),
    ]
    assert pressed([(timestamp % 2**32, payload) for timestamp, payload in held]) == "7"


def test_a_key_after_a_long_one_is_a_press() -> None:
    """Another key right after a segment, or the same key later, is not its continuation."""
    full = [(0, key(7, LONGEST))]
    assert pressed(full + event(8, start=LONGEST)) == "78"
    assert pressed(full + event(7, start=LONGEST + 160)) == "77"
    assert pressed([(0, key(7, 800))] + event(7, start=LONGEST)) == "77"


@pytest.mark.parametrize("code", [16, 17, 36, 89, 255])
def test_events_that_are_no_keys_are_ignored(code: int) -> None:
    """Hook flash, fax and modem tones press nothing, and a key after them counts."""
    assert pressed(event(code)) == ""
    assert pressed(event(code) + event(3, start=1600)) == "3"


@pytest.mark.parametrize("length", range(4))
def test_a_short_payload_is_malformed(length: int) -> None:
    """An event is four bytes; less is refused and changes nothing."""
    keypad = Keypad()
    assert pressed(event(4), keypad) == "4"
    with pytest.raises(MalformedPacket):
        keypad.press(packet(0, 1600, key(4, 160)[:length]), CLOCK)
    assert pressed(event(4), keypad) == ""


def masked(keypad: Keypad, *timestamps: int) -> list[bool]:
    """Which of these moments may have the key's tone."""
    return [keypad.masks(timestamp % 2**32) for timestamp in timestamps]


@pytest.mark.parametrize("start", [0, 5000, 2**32 - 100])
def test_the_tone_of_a_key_is_masked(start: int) -> None:
    """From its first moment until 40 ms after what was told of it, over the clock's wrap too."""
    keypad = Keypad()
    assert not any(masked(keypad, start, start + 1)), "no key, no tone"
    pressed([(start, key(1, 160))], keypad)
    assert masked(keypad, start - 1, start, start + 479, start + 480) == [False, True, True, False]
    pressed([(start, key(1, 800, end=True))], keypad)
    assert masked(keypad, start - 160, start, start + 1119, start + 1120) == [
        False,
        True,
        True,
        False,
    ]


def test_the_mask_is_as_long_on_a_faster_clock() -> None:
    """40 ms are 1920 ticks of a 48 kHz clock."""
    keypad = Keypad()
    keypad.press(packet(0, 0, key(1, 960)), 48_000)
    assert masked(keypad, 0, 2879, 2880) == [True, True, False]
