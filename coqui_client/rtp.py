"""The packets of a caller (RFC 3550): RTP with G.711 mu-law, and RTCP.

No I/O: `coqui_client.call` sends them.
"""

import struct

PAYLOAD_TYPE = 0
"""PCMU, 8000 Hz, one channel (RFC 3551 section 6)."""

CLOCK = 8000
FRAME = 160
"""Bytes, which are samples, in a packet: 20 ms, the usual length (RFC 3551 section 4.2)."""

FRAME_SECONDS = FRAME / CLOCK
SILENCE = b"\xff" * FRAME
"""A frame of the mu-law code for 0 (G.711 table 2a)."""

_VERSION = 2 << 6
_MARKER = 0x80
_SENDER_REPORT, _DESCRIPTION, _GOODBYE = 200, 202, 203
_CNAME = 1
_CNAME_BYTES = 255
_NTP_EPOCH = 2_208_988_800
"""Seconds from 1900, where NTP counts from, to 1970."""


class Stream:
    """One source from its first packet to its goodbye.

    Args:
        name: its canonical name (CNAME), cut to 255 bytes of UTF-8.
        ssrc: 32 random bits, as are the other two, so that nobody can guess them (section 5.1).
        sequence: the first sequence number, 16 bits.
        timestamp: of the first sample, 32 bits.

    Attributes:
        packets: the number of packets so far.
    """

    def __init__(self, name: str, ssrc: int, sequence: int, timestamp: int) -> None:
        self.name = name
        self.ssrc = ssrc
        self.packets = 0
        self._sequence = sequence
        self._timestamp = timestamp
        self._octets = 0

    def packet(self, payload: bytes) -> bytes:
        """The next packet; `payload` is mu-law that follows the last one without a gap."""
        datagram = packet(
            self.ssrc,
            self._sequence + self.packets,
            self._timestamp + self._octets,
            payload,
            # The start of the only talkspurt (RFC 3551 section 4.1): silence is sent too.
            marker=self.packets == 0,
        )
        self.packets += 1
        self._octets += len(payload)
        return datagram

    def report(self, now: float, elapsed: float) -> bytes:
        """A compound packet: sender report and CNAME.

        Args:
            now: seconds since 1970.
            elapsed: seconds from the first packet to the same moment.
        """
        timestamp = self._timestamp + round(elapsed * CLOCK)
        report = sender_report(self.ssrc, now, timestamp, self.packets, self._octets)
        return report + description(self.ssrc, self.name)

    def goodbye(self, now: float, elapsed: float) -> bytes:
        """The last compound: a report as above, then BYE."""
        return self.report(now, elapsed) + goodbye(self.ssrc)


def packet(ssrc: int, sequence: int, timestamp: int, payload: bytes, marker: bool) -> bytes:
    """An RTP packet of PCMU without padding, extension and CSRCs (section 5.1); counters wrap."""
    kind = PAYLOAD_TYPE | (_MARKER if marker else 0)
    return struct.pack("!BBHII", _VERSION, kind, _16(sequence), _32(timestamp), ssrc) + payload


def sender_report(ssrc: int, now: float, timestamp: int, packets: int, octets: int) -> bytes:
    """SR without report blocks (section 6.4.1).

    Args:
        now: seconds since 1970.
        timestamp: the stream's clock at the same moment.
        packets: sent so far.
        octets: of payload sent so far.
    """
    ntp = round((now + _NTP_EPOCH) * 2**32)
    counts = (_32(timestamp), _32(packets), _32(octets))
    return _rtcp(_SENDER_REPORT, 0, struct.pack("!IQIII", ssrc, ntp, *counts))


def description(ssrc: int, name: str) -> bytes:
    """SDES with a CNAME (section 6.5)."""
    # "replace": a file name may have bytes that are not UTF-8. No letter is cut in half.
    whole = name.encode("utf-8", "replace")[:_CNAME_BYTES].decode("utf-8", "ignore").encode()
    chunk = struct.pack("!IBB", ssrc, _CNAME, len(whole)) + whole
    # At least one zero ends the items; the chunk ends on 32 bits.
    return _rtcp(_DESCRIPTION, 1, chunk + bytes(4 - len(chunk) % 4))


def goodbye(ssrc: int) -> bytes:
    """BYE without a reason (section 6.6)."""
    return _rtcp(_GOODBYE, 1, struct.pack("!I", ssrc))


def _rtcp(kind: int, count: int, body: bytes) -> bytes:
    # The length is in 32-bit words minus one, which is the body's length.
    return struct.pack("!BBH", _VERSION | count, kind, len(body) // 4) + body


def _16(number: int) -> int:
    return number & 0xFFFF


def _32(number: int) -> int:
    return number & 0xFFFFFFFF
