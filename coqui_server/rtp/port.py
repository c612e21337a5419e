"""One RTP port: RTP and RTCP together on it (RFC 5761), and RTCP also on the next."""

import errno
import logging
import secrets
from collections.abc import Callable
from typing import Protocol

from coqui_server.exceptions import MalformedPacket
from coqui_server.rtp import packet, rtcp
from coqui_server.rtp.admission import Admission
from coqui_server.rtp.drops import Drops
from coqui_server.rtp.names import Address, Names
from coqui_server.rtp.packet import Packet
from coqui_server.rtp.stream import Arrived, Stream
from coqui_server.rtp.switchboard import CANDIDATES, Switchboard
from coqui_server.rtp.udp import Endpoint

_REPORT_PAUSE = 1.0
"""Seconds between two reports to one source, however many sender reports it sends."""

_ANY_TRIES = 20
"""Attempts to find two free ports next to each other."""

_log = logging.getLogger(__name__)


class PortOwner(Protocol):
    """What a port needs of the listener that opened it."""

    @property
    def admission(self) -> Admission: ...

    @property
    def drops(self) -> Drops: ...

    def admit(self, port: "Port", address: Address, packets: Arrived) -> Stream | None:
        """Open a leg for a new source and give its stream, or None to refuse it."""


class Port:
    """Reads datagrams, drops those that are not allowed, and gives the rest to its switchboard.

    Args:
        owner: decides who may send, and opens a leg for each new stream.
        clock: gives seconds of a clock that only goes up.
        candidates: sources on probation at a time.
        names: the names of all streams on this port, if it is reserved for a call.

    Attributes:
        number: of the RTP port, also when it is closed again.
        left: when its last stream ended, in seconds of `clock`; None before there was one.
    """

    def __init__(
        self,
        owner: PortOwner,
        clock: Callable[[], float],
        *,
        candidates: int = CANDIDATES,
        names: Names | None = None,
    ) -> None:
        self.names = names
        self.number = 0
        self.left: float | None = None
        self.switchboard = Switchboard(self, owner.drops, candidates)
        self._owner = owner
        self._clock = clock
        self._drops = owner.drops
        self._endpoints: list[Endpoint] = []
        self._ssrc = secrets.randbits(32)
        self._reported: dict[Stream, float] = {}

    async def open(self, host: str, number: int) -> None:
        """Listen on a port and the one after it; 0 takes any two.

        Raises:
            OSError: one of them is not available; then none stays open.
        """
        for tries_left in reversed(range(_ANY_TRIES if number == 0 else 1)):
            try:
                media = await Endpoint.open(host, number, self._media)
                self._endpoints.append(media)
                following = await Endpoint.open(host, media.port + 1, self._control_only)
                self._endpoints.append(following)
                self.number = media.port
                return
            except (OSError, OverflowError) as error:
                self.close()
                if not tries_left or (number and getattr(error, "errno", 0) != errno.EADDRINUSE):
                    raise

    def close(self) -> None:
        """Stop listening."""
        for endpoint in self._endpoints:
            endpoint.close()
        self._endpoints.clear()

    @property
    def reserved(self) -> bool:
        """The port is reserved for one call, so that any allowed host may send it."""
        return self.names is not None

    def announced(self, address: Address, packet: Packet) -> bool:
        """Whether one packet opens a stream: the first stream of a source the operator named."""
        if any(stream.address == address for stream in self.switchboard):
            return False
        return self._owner.admission.announced(self.names, address, packet)

    def admit(self, address: Address, packets: Arrived) -> Stream | None:
        """A stream for a new source, if it gets a leg."""
        return self._owner.admit(self, address, packets)

    def remove(self, stream: Stream) -> None:
        """Forget a stream."""
        self.left = self._clock()
        self.switchboard.remove(stream)
        self._reported.pop(stream, None)

    def _media(self, datagram: bytes, address: Address) -> None:
        now = self._clock()
        if not self._owner.admission.allows(address[0]):
            self._drops.count("whose sender is not in rtp.allow", address, now)
        elif packet.is_rtcp(datagram):
            self._control(datagram, address, now, self._endpoints[0])
        else:
            try:
                self.switchboard.receive(address, packet.parse(datagram), now)
            except MalformedPacket:
                self._drops.count("which was not RTP", address, now)

    def _control_only(self, datagram: bytes, address: Address) -> None:
        now = self._clock()
        if not self._owner.admission.allows(address[0]):
            self._drops.count("whose sender is not in rtp.allow", address, now)
        else:
            self._control(datagram, address, now, self._endpoints[1])

    def _control(self, datagram: bytes, address: Address, now: float, endpoint: Endpoint) -> None:
        try:
            items = rtcp.parse(datagram)
        except MalformedPacket:
            self._drops.count("which was not RTCP", address, now)
            return
        for item in items:
            ssrcs = item.ssrcs if isinstance(item, rtcp.Bye) else (item.ssrc,)
            for ssrc in ssrcs:
                if stream := self.switchboard.find(address[0], ssrc):
                    self._apply(stream, item, now)
                    if isinstance(item, rtcp.SenderReport):
                        self._report(stream, address, now, endpoint)

    def _apply(self, stream: Stream, item: rtcp.Item, now: float) -> None:
        match item:
            case rtcp.SenderReport():
                stream.reported(item, now)
            case rtcp.Name(_, text):
                stream.cname = text or stream.cname
            case rtcp.Bye():
                stream.over = True

    def _report(self, stream: Stream, address: Address, now: float, endpoint: Endpoint) -> None:
        """Answer a sender report, only to a source that is an admitted stream."""
        if now - self._reported.get(stream, -_REPORT_PAUSE) >= _REPORT_PAUSE:
            self._reported[stream] = now
            report = rtcp.receiver_report(self._ssrc, "coqui_server", stream.report(now))
            endpoint.send(report, address)
