"""Datagrams and packets as senders make them, for the tests of `coqui_server.rtp`.

Written from the RFCs and not from the parser, so that the two can be held against each other.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from hypothesis import settings

from coqui_server.rtp.jitter import Arrival
from coqui_server.rtp.packet import Packet

fixed = settings(derandomize=True, max_examples=50, deadline=None)
"""What a property test may spend."""

SSRC = 0x1234ABCD


def rtp(
    packet: Packet,
    *,
    csrcs: Sequence[int] = (),
    extension: tuple[int, bytes] | None = None,
    padding: int = 0,
    version: int = 2,
) -> bytes:
    """A datagram (RFC 3550 section 5.1); an extension is its profile and whole words."""
    first = version << 6 | bool(padding) << 5 | (extension is not None) << 4 | len(csrcs)
    second = packet.marker << 7 | packet.payload_type
    head = struct.pack("!BBHII", first, second, packet.sequence, packet.timestamp, packet.ssrc)
    head += struct.pack(f"!{len(csrcs)}I", *csrcs)
    if extension is not None:
        profile, words = extension
        head += struct.pack("!HH", profile, len(words) // 4) + words
    tail = bytes(padding - 1) + bytes([padding]) if padding else b""
    return head + packet.payload + tail


def packet(
    sequence: int,
    timestamp: int = 0,
    payload: bytes = b"",
    *,
    payload_type: int = 0,
    marker: bool = False,
    ssrc: int = SSRC,
) -> Packet:
    """A packet that was read; counters wrap as they do on the wire."""
    return Packet(payload_type, marker, sequence % 2**16, timestamp % 2**32, ssrc, payload)


def in_order(
    payloads: Iterable[bytes],
    *,
    ticks: int = 160,
    pace: float = 0.02,
    payload_type: int = 0,
    sequence: int = 0,
    timestamp: int = 0,
    time: float = 0.0,
) -> list[Arrival]:
    """Payloads one after another, as the jitter buffer gives them: `ticks` and `pace` apart."""
    return [
        Arrival(
            sequence + place,
            packet(sequence + place, timestamp + place * ticks, payload, payload_type=payload_type),
            time + place * pace,
        )
        for place, payload in enumerate(payloads)
    ]


def key(code: int, duration: int, *, end: bool = False, volume: int = 10) -> bytes:
    """A telephone-event (RFC 4733 section 2.3)."""
    return struct.pack("!BBH", code, end << 7 | volume, duration)


def red(primary: tuple[int, bytes], *older: tuple[int, int, bytes]) -> bytes:
    """A redundant payload (RFC 2198): older blocks are type, timestamp offset and payload."""
    heads = [
        struct.pack("!BHB", 0x80 | kind, offset << 2 | len(block) >> 8, len(block) & 255)
        for kind, offset, block in older
    ]
    blocks = [block for _, _, block in older]
    return b"".join((*heads, bytes([primary[0]]), *blocks, primary[1]))


def rtcp(kind: int, count: int, body: bytes, *, padding: int = 0, version: int = 2) -> bytes:
    """One RTCP packet; the body, with its padding, is whole words."""
    tail = bytes(padding - 1) + bytes([padding]) if padding else b""
    words = (len(body) + padding) // 4
    first = version << 6 | bool(padding) << 5 | count
    return struct.pack("!BBH", first, kind, words) + body + tail


def sender_report(ssrc: int, ntp: int, timestamp: int, blocks: int = 0) -> bytes:
    """SR with its counts of packets and octets, and so many blocks on others."""
    body = struct.pack("!IQIII", ssrc, ntp, timestamp, 7, 1120)
    return rtcp(200, blocks, body + bytes(range(24)) * blocks)


def description(*chunks: tuple[int, Sequence[tuple[int, bytes]]], zeros: int = 0) -> bytes:
    """SDES: chunks are an SSRC and its items (type, text); CNAME is type 1."""
    body = b""
    for ssrc, items in chunks:
        body += struct.pack("!I", ssrc)
        body += b"".join(bytes([kind, len(text)]) + text for kind, text in items)
        body += bytes(4 - len(body) % 4 + zeros)
    return rtcp(202, len(chunks), body)


def goodbye(*ssrcs: int, reason: bytes = b"") -> bytes:
    """BYE, with the reason that may follow."""
    body = struct.pack(f"!{len(ssrcs)}I", *ssrcs)
    if reason:
        body += bytes([len(reason)]) + reason
        body += bytes(-len(body) % 4)
    return rtcp(203, len(ssrcs), body)


class ReadReport(NamedTuple):
    """A receiver report as its reader sees it (section 6.4.2), and the name in its SDES."""

    ssrc: int
    about: int
    fraction: int
    lost: int
    cycles: int
    sequence: int
    jitter: int
    last_report: int
    delay: int
    name: bytes


def read_report(datagram: bytes) -> ReadReport:
    """Take a compound of RR and SDES apart; everything in it must fit."""
    report, described = split(datagram)
    assert report[:4] == bytes([0x81, 201, 0, 7])
    ssrc, about, lost, cycles, sequence, jitter, last, delay = struct.unpack(
        "!IIIHHIII", report[4:]
    )
    signed = (lost & 0xFFFFFF) - (1 << 24) * (lost >> 23 & 1)
    assert described[:2] == bytes([0x81, 202])
    source, item, length = struct.unpack_from("!IBB", described, 4)
    assert (source, item) == (ssrc, 1)
    rest = described[10 + length :]
    assert 1 <= len(rest) <= 4, "a chunk ends with a zero, on 32 bits"
    assert not any(rest)
    name = described[10 : 10 + length]
    return ReadReport(ssrc, about, lost >> 24, signed, cycles, sequence, jitter, last, delay, name)


def split(compound: bytes) -> Iterator[bytes]:
    """The packets of a compound, by their lengths."""
    while compound:
        end = 4 + 4 * int.from_bytes(compound[2:4])
        assert end <= len(compound)
        yield compound[:end]
        compound = compound[end:]
