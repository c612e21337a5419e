"""RTP packets, and telling them from other datagrams on their port (RFC 3550 section 5, RFC 5761,
RFC 7983)."""

import struct
from typing import NamedTuple

from coqui_server.exceptions import MalformedPacket

_FIXED = struct.Struct("!BBHII")
_PLAIN = 0x80
"""The first byte of nearly every packet: version 2 without padding, extension and CSRCs."""

SEQUENCES = 1 << 16
TIMESTAMPS = 1 << 32


class Packet(NamedTuple):
    """One RTP packet. `payload` is without padding, CSRCs and header extension."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def is_rtcp(datagram: bytes) -> bool:
    """Whether a datagram on a shared port is RTCP: second byte 192 to 223 (RFC 5761 section 4)."""
    return len(datagram) > 1 and datagram[0] >> 6 == 2 and 192 <= datagram[1] <= 223


def parse(datagram: bytes) -> Packet:
    """Read one packet.

    Raises:
        MalformedPacket: it is not RTP version 2 (STUN and DTLS are not), or ends too early.
    """
    if len(datagram) < _FIXED.size:
        raise MalformedPacket("RTP packet is shorter than its header")
    first, second, sequence, timestamp, ssrc = _FIXED.unpack_from(datagram)
    if first >> 6 != 2:
        raise MalformedPacket("not RTP version 2")
    start, end = (_FIXED.size, None) if first == _PLAIN else _bounds(datagram, first)
    return Packet(second & 0x7F, second > 0x7F, sequence, timestamp, ssrc, datagram[start:end])


def _bounds(datagram: bytes, first: int) -> tuple[int, int]:
    """The payload: after CSRCs and header extension (section 5.3.1), before the padding."""
    start, end = _FIXED.size + 4 * (first & 0x0F), len(datagram)
    if first & 0x10:
        if end < start + 4:
            raise MalformedPacket("RTP header extension is cut off")
        start += 4 + 4 * int.from_bytes(datagram[start + 2 : start + 4])
    if first & 0x20:
        if datagram[-1] == 0:
            raise MalformedPacket("RTP padding of no length")
        end -= datagram[-1]
    if end < start:
        raise MalformedPacket("RTP packet is shorter than its header says")
    return start, end


def ahead(new: int, old: int, modulus: int) -> int:
    """How far `new` is ahead of `old` on a counter that wraps; negative if it is behind."""
    half = modulus >> 1
    return (new - old + half) % modulus - half


def primary(payload: bytes) -> tuple[int, bytes]:
    """The payload type and payload of a redundant packet's newest block (RFC 2198 section 3).

    Raises:
        MalformedPacket: the blocks are longer than the packet.
    """
    position = older = 0
    while position < len(payload) and payload[position] & 0x80:
        older += int.from_bytes(payload[position + 2 : position + 4]) & 0x3FF
        position += 4
    if position + 1 + older > len(payload):
        raise MalformedPacket("RED blocks are longer than their packet")
    return payload[position], payload[position + 1 + older :]
