"""Whether packets are what their payload type says, by lengths, timestamps and arrival. No I/O."""

from collections.abc import Sequence
from itertools import pairwise

from coqui_server.media.codecs import opus_samples
from coqui_server.media.formats import Format
from coqui_server.rtp.jitter import Arrival
from coqui_server.rtp.packet import TIMESTAMPS, Packet, ahead

_TAGS = (4, 10, 16)
"""Bytes that SRTP adds to a payload: RFC 3711 section 4.2.1, and RFC 7714 section 5.2."""

_BYTES = {"PCMU": 1.0, "PCMA": 1.0, "G722": 1.0, "GSM": 33 / 160, "G729": 10 / 80}
"""Bytes for a timestamp unit."""

_PROOF = 10
"""Packets in a row that prove that they are not what they are taken for: 0.2 s."""

_ENOUGH = 50
"""Packets that were looked at, of which nothing was found."""

_FRAMES, _FAR, _VERY_FAR = 200, 2.5, 6.5
"""Frames of linear sound are multiples of 5 ms. Their timestamps may be off by a wrong clock, six
times the right one at most; those of what is no such frame prove another codec sooner."""


class PayloadCheck:
    """Looks at the packets of sound of one source.

    Attributes:
        encrypted: the packets are SRTP.
        disproved: the format that the packets do not have.
    """

    def __init__(self) -> None:
        self.encrypted = False
        self.disproved: Format | None = None
        self._last: tuple[Arrival, Format] | None = None
        self._doubted: list[Packet] = []
        self._believed = False
        self._seen = self._tagged = self._misfits = self._random = 0

    @property
    def done(self) -> bool:
        """Whether enough packets were looked at."""
        return self._seen >= _ENOUGH

    def refuses(self, format: Format, arrivals: Sequence[Arrival]) -> bool:
        """Whether the first of these packets, which has this format, is not to be played. If the
        format is only assumed, two packets in a row have to fit."""
        doubted = format.assumed and format.encoding == "opus" and not self._believed
        if doubted:
            packets = [*self._doubted, *(arrival.packet for arrival in arrivals)]
            self._believed = any(looks_like_opus(*pair) for pair in pairwise(packets))
            self._doubted = packets[len(self._doubted) :][:1]
        return self.encrypted or format == self.disproved or (doubted and not self._believed)

    def look(self, arrival: Arrival, format: Format) -> None:
        """Look at a packet of sound, and compare the one before with the step to its timestamp."""
        self._seen += 1
        last, self._last = self._last, (arrival, format)
        if last is None or last[1] != format or arrival.number != last[0].number + 1:
            return
        before = last[0]
        step = ahead(arrival.packet.timestamp, before.packet.timestamp, TIMESTAMPS)
        elapsed = arrival.time - before.time
        if format.encoding == "opus":
            self._look_at_opus(before.packet, arrival.packet, step, elapsed, format)
        else:
            self._look_for_tags(before.packet, step, format)
        if format.encoding == "L16" and not arrival.packet.marker:
            self._look_at_linear(before.packet, step, elapsed, format)

    def _look_for_tags(self, packet: Packet, step: int, format: Format) -> None:
        """SRTP makes packets longer than their timestamps say."""
        size = step * _BYTES.get(format.encoding, 2 * format.channels)
        tagged = len(packet.payload) - round(size) in _TAGS
        self._tagged = self._tagged + 1 if tagged else 0
        self.encrypted |= self._tagged >= _PROOF

    def _look_at_linear(self, packet: Packet, step: int, elapsed: float, format: Format) -> None:
        """Packets that are far longer or shorter than their timestamps say are of another codec.
        Whole frames are, if they did not come so late."""
        units = len(packet.payload) // (2 * format.channels) or 1
        whole = units * _FRAMES % format.clock == 0
        far = _VERY_FAR if whole else _FAR
        near = 1 / far < step / units < far
        late = whole and elapsed >= step / format.clock / 2
        self._misfits = 0 if near or late else self._misfits + 1
        self._judge(format)

    def _look_at_opus(
        self, packet: Packet, following: Packet, step: int, elapsed: float, format: Format
    ) -> None:
        """The first byte of Opus tells the length of a packet. In a pause (DTX) the next one comes
        later. In encrypted packets this byte is any; one that stays the same may be of a sender
        whose timestamps are wrong."""
        if looks_like_opus(packet, following):
            self._misfits = max(0, self._misfits - 1)
            self._random = max(0, self._random - 1)
        elif not self._paused(packet, step, elapsed, format):
            self._misfits += 1
            self._random += packet.payload[:1] != following.payload[:1]
        if format.assumed:
            self._judge(format)
        else:
            self.encrypted |= self._random >= _PROOF

    def _paused(self, packet: Packet, step: int, elapsed: float, format: Format) -> bool:
        units = opus_samples(packet.payload)
        late = elapsed >= step / format.clock / 2
        return step > units and late and len(packet.payload) <= _opus_bytes(units)

    def _judge(self, format: Format) -> None:
        if self._misfits >= _PROOF:
            self.disproved = format


def looks_like_opus(packet: Packet, following: Packet) -> bool:
    """Whether a packet is as long, as Opus, as the step to the next one's timestamp."""
    units = opus_samples(packet.payload)
    return (
        packet.payload_type == following.payload_type
        and units == ahead(following.timestamp, packet.timestamp, TIMESTAMPS)
        and len(packet.payload) <= _opus_bytes(units)
    )


def _opus_bytes(units: int) -> float:
    """Bytes that a packet of Opus may have: 510 kbit/s (RFC 6716 section 2)."""
    return units / 48 * 64 + 8
