"""Telephone keys that are sent as RTP events (RFC 4733)."""

from coqui_server.exceptions import MalformedPacket
from coqui_server.rtp.packet import TIMESTAMPS, Packet, ahead

_DIGITS = "0123456789*#ABCD"
_LONGEST = 0xFFFF
"""The duration field of a segment is full: the event goes on in another (section 2.5.1.3)."""

_AFTER = 0.04
"""Seconds after a key whose sound may still have its tone: gateways remove it late."""


class Keypad:
    """Turns the packets of an event into one key press, and knows where its tone may be."""

    def __init__(self) -> None:
        self._event: tuple[int, int] | None = None
        self._until = 0
        self._full = False

    def press(self, packet: Packet, clock: int) -> str | None:
        """The key, if this packet is the first of a new event for a key.

        Raises:
            MalformedPacket: it is shorter than an event.
        """
        if len(packet.payload) < 4:
            raise MalformedPacket("telephone-event is cut off")
        code, duration = packet.payload[0], int.from_bytes(packet.payload[2:4])
        before, self._event = self._event, (code, packet.timestamp)
        continued = (
            before is not None
            and self._full
            and before[0] == code
            and packet.timestamp == (before[1] + _LONGEST) % TIMESTAMPS
        )
        self._full = duration == _LONGEST
        self._until = (packet.timestamp + duration + round(_AFTER * clock)) % TIMESTAMPS
        if self._event == before or continued or code >= len(_DIGITS):
            return None
        return _DIGITS[code]

    def masks(self, timestamp: int) -> bool:
        """Whether sound at this timestamp may be the tone of the last key."""
        if self._event is None:
            return False
        after_start = ahead(timestamp, self._event[1], TIMESTAMPS) >= 0
        return after_start and ahead(timestamp, self._until, TIMESTAMPS) < 0
