"""Packets that are not what their payload type says, and types that nobody explained."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import av
import numpy as np
import pytest

from coqui_server.media.codecs import opus_samples
from coqui_server.media.formats import Format, meaning
from coqui_server.rtp.playout import Playout
from tests.rtp.coded import encoded, gsm, law, linear, opus, speech
from tests.rtp.played import keys, length, new, play
from tests.rtp.wire import in_order, key

RANDOM = np.random.default_rng(1)
OPUS, OPUS_RATE = 111, 48_000


def tagged(payloads: Sequence[bytes], tag: int) -> list[bytes]:
    """As SRTP changes them: nothing can be told from the bytes, and a tag comes after them."""
    return [RANDOM.bytes(len(payload) + tag) for payload in payloads]


CODECS = {
    "PCMU": (law(speech()), 160),
    "G722": (encoded("g722", speech(16_000), 16_000), 160),
    "GSM": (gsm(speech()), 160),
    "G729": ([bytes(20)] * 100, 160),
    "L16/16000": (linear(speech(16_000), 320), 320),
    "opus/48000/2": (opus(speech(OPUS_RATE), OPUS_RATE), 960),
}


def played(codec: str, payloads: Sequence[bytes], ticks: int) -> Playout:
    """A playout that has played these packets of 20 ms, whose type the configuration explains."""
    playout = new({97: Format.parse(codec)})
    play(in_order(payloads, ticks=ticks, payload_type=97), playout)
    return playout


@pytest.mark.parametrize("tag", [4, 10, 16])
@pytest.mark.parametrize("codec", CODECS)
def test_encrypted_packets_are_not_played(codec: str, tag: int) -> None:
    """SRTP makes packets longer than their timestamps say, by the length of its tag; Opus has a
    length of its own, which encryption makes any."""
    payloads, ticks = CODECS[codec]
    playout = played(codec, tagged(payloads, tag), ticks)
    assert playout.check.encrypted
    assert playout.unknown > len(payloads) / 2


@pytest.mark.parametrize("codec", CODECS)
def test_plain_packets_are_not_taken_for_encrypted(codec: str) -> None:
    """Nor are those of a sender who puts more into a packet than its timestamps say."""
    payloads, ticks = CODECS[codec]
    assert not played(codec, payloads, ticks).check.encrypted
    assert not played("PCMU", [RANDOM.bytes(240)] * 100, 160).check.encrypted


@pytest.mark.parametrize("off", [-48, 48, 480])
def test_opus_whose_timestamps_are_wrong_is_not_encrypted(off: int) -> None:
    """Its first bytes stay the same, or change for a reason."""
    payloads, ticks = CODECS["opus/48000/2"]
    playout = played("opus/48000/2", payloads, ticks + off)
    assert (playout.check.encrypted, playout.check.disproved, playout.unknown) == (False, None, 0)


def test_opus_with_pauses_is_not_encrypted() -> None:
    """In a pause (DTX) packets come every 0.4 s, and say that they are 20 ms."""
    payloads = [bytes([config << 3]) + bytes(9) for config in (1, 5, 9, 13) for _ in range(10)]
    arrivals = in_order(payloads, ticks=19_200, payload_type=97, pace=0.4)
    playout = new({97: Format.parse("opus/48000/2")})
    play(arrivals, playout)
    assert not playout.check.encrypted


@pytest.mark.parametrize("options", [{}, {"b": "64k", "vbr": "off"}])
def test_another_codec_is_not_played_as_linear_sound(options: dict[str, Any]) -> None:
    """Opus under a type that the configuration calls L16: lengths and timestamps disprove it."""
    playout = new({97: Format.parse("L16/16000")})
    payloads = opus(speech(OPUS_RATE), OPUS_RATE, **options)
    pieces = play(in_order(payloads, ticks=960, payload_type=97), playout)
    assert str(playout.check.disproved) == "L16/16000"
    assert length(pieces) < 0.4 * 16_000


@pytest.mark.parametrize("payload_type", [96, 97, 111, 127])
@pytest.mark.parametrize("milliseconds", [20, 60])
@pytest.mark.parametrize("batch", [1, 5])
def test_opus_under_any_number(payload_type: int, milliseconds: int, batch: int) -> None:
    """It is heard from the second packet at the latest: two in a row show that it is Opus."""
    payloads = opus(speech(OPUS_RATE), OPUS_RATE, milliseconds)
    ticks = milliseconds * 48
    playout = new()
    pieces = play(in_order(payloads, ticks=ticks, payload_type=payload_type), playout, batch)
    assert str(playout.format) == "opus/48000/2"
    assert playout.unknown <= 1
    assert length(pieces) >= (len(payloads) - 1) * milliseconds * 16


def amr(payloads: int) -> list[bytes]:
    """Packets as long as those of AMR at 12.2 kbit/s (RFC 4867), whose sound does not matter."""
    return [b"\xf0\x3c" + RANDOM.bytes(31) for _ in range(payloads)]


def video(payloads: int) -> list[bytes]:
    """Packets as long as those of H.264 (RFC 6184), whose picture does not matter."""
    return [b"\x7c\x85" + RANDOM.bytes(1000) for _ in range(payloads)]


@pytest.mark.parametrize(
    ("payloads", "ticks"),
    [(amr(100), 160), (video(100), 3000), (video(100), 0), (linear(speech(48_000), 960), 960)],
)
def test_what_is_no_opus_is_not_played_as_it(payloads: list[bytes], ticks: int) -> None:
    """Other codecs under an unexplained number: lengths do not fit, or soon no longer do."""
    playout = new()
    pieces = play(in_order(payloads, ticks=ticks, payload_type=97), playout)
    assert length(pieces) < 0.5 * 16_000
    assert playout.unknown > len(payloads) / 2


def test_keys_under_any_number() -> None:
    """A key has four bytes, of which two are like those of no sound."""
    sound = in_order(law(speech()))
    pressed = in_order(
        [key(5, duration) for duration in range(160, 1600, 160)],
        payload_type=100,
        sequence=len(sound),
        timestamp=160 * len(sound),
        ticks=0,
    )
    assert [digit for digit, _ in keys(play([*sound, *pressed]))] == ["5"]


def test_another_source_is_looked_at_anew() -> None:
    """What was found out about the first one does not count for it."""
    payloads, ticks = CODECS["PCMU"]
    playout = played("PCMU", tagged(payloads, 10), ticks)
    assert playout.check.encrypted
    playout.restart(10.0, partial(meaning, mapped={}, named=None))
    before = playout.unknown
    play(in_order(payloads, ticks=ticks), playout)
    assert playout.unknown == before


def test_the_length_of_opus() -> None:
    """Of every configuration and number of frames, it is what libopus decodes."""
    for config in range(32):
        for code in range(3):
            payload = bytes([config << 3 | code]) + bytes(2)
            context = av.CodecContext.create("libopus", "r")
            context.sample_rate, context.layout = OPUS_RATE, "mono"
            frames = context.decode(av.Packet(payload))
            assert opus_samples(payload) == sum(frame.samples for frame in frames)
