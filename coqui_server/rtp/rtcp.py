"""RTCP (RFC 3550 section 6): sender reports, names and BYE in, receiver reports out."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from coqui_server.exceptions import MalformedPacket

_SENDER_REPORT, _RECEIVER_REPORT, _DESCRIPTION, _GOODBYE = 200, 201, 202, 203
_CNAME = 1
_NTP_EPOCH = 2_208_988_800
"""Seconds from 1900, where NTP counts from, to 1970."""


@dataclass(frozen=True)
class SenderReport:
    """`ntp` is the 64-bit NTP time at which the stream's clock showed `timestamp`."""

    ssrc: int
    ntp: int
    timestamp: int

    @property
    def time(self) -> float:
        """The same moment in seconds since 1970."""
        return self.ntp / 2**32 - _NTP_EPOCH


@dataclass(frozen=True)
class Name:
    """The canonical name (CNAME) of a source."""

    ssrc: int
    text: str


@dataclass(frozen=True)
class Bye:
    """These sources have ended."""

    ssrcs: tuple[int, ...]


Item = SenderReport | Name | Bye


@dataclass(frozen=True)
class ReportBlock:
    """A receiver's report on one source (section 6.4.1).

    Attributes:
        fraction: of the packets expected since the last report, lost, in 256ths.
        lost: packets lost since the start.
        highest: sequence number, with its wraps in the upper 16 bits.
        jitter: in timestamp units.
        last_report: the middle 32 bits of the last sender report's NTP time.
        delay: since that report, in units of 1/65536 s.
    """

    ssrc: int
    fraction: int
    lost: int
    highest: int
    jitter: int
    last_report: int
    delay: int


def parse(datagram: bytes) -> list[Item]:
    """Read a compound packet; packet types that we do not use are skipped.

    Raises:
        MalformedPacket: a length does not fit.
    """
    items: list[Item] = []
    for kind, count, body in _packets(datagram):
        if kind == _SENDER_REPORT:
            if len(body) < 24:
                raise MalformedPacket("RTCP sender report is cut off")
            items.append(SenderReport(*struct.unpack_from("!IQI", body)))
        elif kind == _DESCRIPTION:
            items += _names(body, count)
        elif kind == _GOODBYE:
            if len(body) < 4 * count:
                raise MalformedPacket("RTCP goodbye is cut off")
            items.append(Bye(struct.unpack_from(f"!{count}I", body)))
    return items


def receiver_report(ssrc: int, name: str, block: ReportBlock) -> bytes:
    """Our report on one source, with our CNAME, which section 6.1 requires in every packet."""
    lost = max(-(1 << 23), min(block.lost, (1 << 23) - 1)) & 0xFFFFFF
    report = struct.pack(
        "!BBHIIIIIII",
        0x81,
        _RECEIVER_REPORT,
        7,
        ssrc,
        block.ssrc,
        block.fraction << 24 | lost,
        block.highest & 0xFFFFFFFF,
        block.jitter & 0xFFFFFFFF,
        block.last_report,
        block.delay & 0xFFFFFFFF,
    )
    text = name.encode()[:255]
    chunk = struct.pack("!IBB", ssrc, _CNAME, len(text)) + text
    chunk += bytes(4 - len(chunk) % 4)
    return report + struct.pack("!BBH", 0x81, _DESCRIPTION, len(chunk) // 4) + chunk


def _packets(datagram: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The kind, count and body of each packet in a compound."""
    position = 0
    while position < len(datagram):
        if len(datagram) < position + 4:
            raise MalformedPacket("RTCP packet is shorter than its header")
        first, kind, words = struct.unpack_from("!BBH", datagram, position)
        end = position + 4 + 4 * words
        if first >> 6 != 2 or end > len(datagram):
            raise MalformedPacket("RTCP packet has a wrong length")
        yield kind, first & 0x1F, datagram[position + 4 : end]
        position = end


def _names(body: bytes, count: int) -> Iterator[Name]:
    """The CNAMEs of a source description's chunks (section 6.5)."""
    position = 0
    for _ in range(count):
        if len(body) < position + 4:
            raise MalformedPacket("RTCP source description is cut off")
        ssrc = int.from_bytes(body[position : position + 4])
        position += 4
        while position + 1 < len(body) and body[position]:
            kind, start, end = body[position], position + 2, position + 2 + body[position + 1]
            if end > len(body):
                raise MalformedPacket("RTCP source description is cut off")
            if kind == _CNAME:
                text = body[start:end].decode("utf-8", "replace")
                yield Name(ssrc, "".join(filter(str.isprintable, text)))
            position = end
        position += 4 - position % 4
