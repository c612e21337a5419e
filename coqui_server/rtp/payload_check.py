"""Whether packets are what their payload type says, by lengths, timestamps and arrival. No I/O."""

from coqui_server.media.formats import Format

_TAGS = (4, 10, 16)
"""Bytes that SRTP adds to a payload: RFC 3711 section 4.2.1, and RFC 7714 section 5.2."""

_PROOF = 10
"""Packets in a row that prove that they are not what they are taken for: 0.2 s."""

_FRAMES, _FAR, _VERY_FAR = 200, 2.5, 6.5
"""Frames of linear sound are multiples of 5 ms. Their timestamps may be off by a wrong clock, six
times the right one at most; those of what is no such frame prove another codec sooner."""


class PayloadCheck:
    """Compares each packet of sound with the step to the next one's timestamp.

    Attributes:
        encrypted: the packets are SRTP.
        disproved: the format that the packets do not have.
    """

    def __init__(self) -> None:
        self.encrypted = False
        self.disproved: Format | None = None
        self._tagged = self._misfits = 0

    def refuses(self, format: Format) -> bool:
        """Whether packets of this format are not to be played."""
        return self.encrypted or format == self.disproved

    def tags(self, format: Format, units: float, step: int) -> None:
        """Look for packets that have more sound than their timestamps, by as much as SRTP adds.

        In G.711 and G.722 a byte is a timestamp unit. Shorter codecs do not show it.

        Args:
            units: of sound in a packet.
            step: timestamp units to the next one.
        """
        by_bytes = format.encoding in ("PCMU", "PCMA", "G722")
        self._tagged = self._tagged + 1 if by_bytes and units - step in _TAGS else 0
        self.encrypted |= self._tagged >= _PROOF

    def misfits(self, format: Format, units: float, step: int, elapsed: float) -> None:
        """Look for packets of linear sound that are far longer or shorter than their timestamps
        say: another codec under this payload type. Whole frames are, if they did not come so late.

        Args:
            elapsed: seconds between the arrivals of a packet and the next one in order.
        """
        whole = units * _FRAMES % format.clock == 0
        far = _VERY_FAR if whole else _FAR
        near = 1 / far < step / units < far
        late = whole and elapsed >= step / format.clock / 2
        misfit = format.encoding == "L16" and not near and not late
        self._misfits = self._misfits + 1 if misfit else 0
        if self._misfits >= _PROOF:
            self.disproved = format
