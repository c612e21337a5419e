"""`coqui_client.rtp`: what is built, parsed back field by field."""

import struct
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as some

from coqui_client.rtp import FRAME, SILENCE, Stream, description, goodbye, packet, sender_report

bits16 = some.integers(0, 2**16 - 1)
bits32 = some.integers(0, 2**32 - 1)
# From 1970 to the end of NTP's era 0 in 2036.
times = some.floats(0, 2_085_978_495)


class Rtcp(NamedTuple):
    """One packet of a compound; `items` is the count in its first byte."""

    items: int
    kind: int
    body: bytes


def split(compound: bytes) -> list[Rtcp]:
    """The packets of a compound, which are all of version 2, unpadded and of whole words."""
    packets = []
    while compound:
        first, kind, words = struct.unpack_from("!BBH", compound)
        assert first & 0xE0 == 0x80
        end = 4 + 4 * words
        assert len(compound) >= end
        packets.append(Rtcp(first & 0x1F, kind, compound[4:end]))
        compound = compound[end:]
    return packets


@given(bits32, bits16, bits32, some.binary(max_size=400), some.booleans())
def test_packet(ssrc: int, sequence: int, timestamp: int, payload: bytes, marker: bool) -> None:
    """A packet is twelve bytes of header, payload type 0, and the payload as it is."""
    made = packet(ssrc, sequence, timestamp, payload, marker)
    fields = struct.unpack_from("!BBHII", made)
    assert fields == (0x80, 0x80 if marker else 0, sequence, timestamp, ssrc)
    assert made[12:] == payload


@given(bits32, bits16, bits32, some.integers(1, 300))
def test_stream(ssrc: int, sequence: int, timestamp: int, count: int) -> None:
    """Sequence numbers step by 1 and timestamps by 160, around their ends; one marker, first."""
    stream = Stream("a.wav", ssrc, sequence, timestamp)
    fields = [struct.unpack_from("!BBHII", stream.packet(SILENCE)) for _ in range(count)]
    assert fields == [
        (
            0x80,
            0 if index else 0x80,
            (sequence + index) % 2**16,
            (timestamp + FRAME * index) % 2**32,
            ssrc,
        )
        for index in range(count)
    ]


@given(bits32, times, bits32, some.integers(0, 2**33), some.integers(0, 2**40))
def test_sender_report(ssrc: int, now: float, timestamp: int, packets: int, octets: int) -> None:
    """A report without blocks has one moment by two clocks, and counts that wrap."""
    (made,) = split(sender_report(ssrc, now, timestamp, packets, octets))
    assert (made.items, made.kind, len(made.body)) == (0, 200, 24)
    source, seconds, fraction, *rest = struct.unpack("!6I", made.body)
    assert source == ssrc
    assert seconds + fraction / 2**32 - 2_208_988_800 == pytest.approx(now, abs=1e-6)
    assert rest == [timestamp, packets % 2**32, octets % 2**32]


def test_ntp() -> None:
    """NTP counts from 1900, and its fraction is of 2^32."""
    (made,) = split(sender_report(1, 0.5, 0, 0, 0))
    assert struct.unpack_from("!II", made.body, 4) == (2_208_988_800, 2**31)


def name_in(made: Rtcp, ssrc: int) -> bytes:
    """The CNAME of a description of one source, which ends with 1 to 4 zeros on 32 bits."""
    assert (made.items, made.kind) == (1, 202)
    source, item, length = struct.unpack_from("!IBB", made.body)
    assert (source, item) == (ssrc, 1)
    assert 1 <= len(made.body) - 6 - length <= 4
    assert not any(made.body[6 + length :])
    return made.body[6 : 6 + length]


@given(bits32, some.text(min_size=1, max_size=300))
def test_description(ssrc: int, name: str) -> None:
    """A name is in UTF-8, and no longer than 255 bytes and the last whole letter in them."""
    (made,) = split(description(ssrc, name))
    kept, whole = name_in(made, ssrc), name.encode()
    assert kept == whole if len(whole) <= 255 else 252 <= len(kept) <= 255
    assert name.startswith(kept.decode())


def test_name_that_is_no_text() -> None:
    """A file's name with bytes that are not UTF-8 gets another letter for them."""
    (made,) = split(description(7, b"caf\xe9.wav".decode("utf-8", "surrogateescape")))
    assert name_in(made, 7) == b"caf?.wav"


@given(bits32)
def test_goodbye(ssrc: int) -> None:
    """BYE names its one source and gives no reason."""
    assert split(goodbye(ssrc)) == [Rtcp(1, 203, struct.pack("!I", ssrc))]


def test_compounds() -> None:
    """A report and the name go together; BYE comes last; the report knows what was sent."""
    stream = Stream("a.wav", ssrc=0xABC, sequence=65535, timestamp=2**32 - 100)
    for _ in range(3):
        stream.packet(SILENCE)
    report, name, bye = split(stream.goodbye(now=100.0, elapsed=0.05))
    assert (report.kind, name.kind, bye.kind) == (200, 202, 203)
    # 0.05 s are 400 samples, of which 100 go to the end of the clock.
    assert struct.unpack_from("!III", report.body, 12) == (300, 3, 480)
    assert name_in(name, 0xABC) == b"a.wav"
    assert split(stream.report(now=100.0, elapsed=0.05)) == [report, name]
