"""Which senders may send, and which of their streams may become a call. No sockets."""

from itertools import pairwise

from coqui_server.config.rtp import RtpSettings
from coqui_server.media.formats import Format, meaning
from coqui_server.networks import within
from coqui_server.rtp.names import Address, NamedStreams, Names
from coqui_server.rtp.packet import Packet
from coqui_server.rtp.payload_check import looks_like_opus
from coqui_server.rtp.stream import Arrived

_REMEMBERED = 4096
"""Hosts for which the answer of `rtp.allow` is kept."""


class Admission:
    """The rules of `rtp.allow`, `rtp.codecs` and the named streams.

    Attributes:
        named: what is known about streams before they come.
    """

    def __init__(self, settings: RtpSettings) -> None:
        self.named = NamedStreams(settings.streams)
        self._settings = settings
        self._answers: dict[str, bool] = {}

    def allows(self, host: str) -> bool:
        """Whether a host may send to us."""
        if (answer := self._answers.get(host)) is not None:
            return answer
        if len(self._answers) >= _REMEMBERED:
            self._answers.clear()
        self._answers[host] = answer = within(host, self._settings.allow)
        return answer

    def names(self, reserved: Names | None, address: Address, ssrc: int) -> Names | None:
        """The names of a stream: those of its reserved port, or those of the stream itself."""
        return reserved or self.named.find(address, ssrc)

    def announced(self, reserved: Names | None, address: Address, packet: Packet) -> bool:
        """Whether one packet is enough to open a stream: the operator named it, and it can be
        decoded."""
        names = self.names(reserved, address, packet.ssrc)
        return names is not None and self._format(packet, names) is not None

    def explains(self, names: Names, packets: Arrived) -> bool:
        """Whether any of these packets is of a known format. An assumption needs two packets in a
        row that fit, so that a video or another codec opens no stream."""
        sent = [packet for packet, _ in packets]
        formats = [self._format(packet, names) for packet in sent]
        if any(format and (not format.assumed or format.encoding == "L16") for format in formats):
            return True
        fitting = any(looks_like_opus(*pair) for pair in pairwise(sent))
        return fitting and any(format and format.encoding == "opus" for format in formats)

    def _format(self, packet: Packet, names: Names) -> Format | None:
        mapped = {**self._settings.codecs, **names.codecs}
        return meaning(packet.payload_type, packet.payload, mapped=mapped, named=names.codec)
