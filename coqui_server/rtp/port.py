"""One RTP port: RTP and RTCP together on it (RFC 5761), and RTCP also on the next."""

import errno
import logging
import secrets
from collections.abc import Callable
from functools import partial

from coqui_server.exceptions import MalformedPacket
from coqui_server.rtp import packet, rtcp
from coqui_server.rtp.drops import Drops
from coqui_server.rtp.packet import Packet
from coqui_server.rtp.stream import Address, Arrived, Names, Stream
from coqui_server.rtp.switchboard import CANDIDATES, Switchboard
from coqui_server.rtp.udp import Endpoint

_REPORT_PAUSE = 1.0
"""Seconds between two reports to one source, however many it sends us."""

_ANY_TRIES = 20
"""Times to look for two free ports next to each other."""

_log = logging.getLogger(__name__)


class Port:
    """Reads datagrams, drops what may not come in, and hands the rest to its switchboard.

    Args:
        allowed: whether a host may send to us.
        clock: seconds, ever growing.
        candidates: sources on probation at once.
        names: what streams on this port are called, if it was given to a call.

    Attributes:
        number: of the RTP port, also when it is closed again.
    """

    def __init__(
        self,
        allowed: Callable[[str], bool],
        clock: Callable[[], float],
        drops: Drops,
        admit: Callable[["Port", Address, Arrived], Stream | None],
        announced: Callable[["Port", Address, Packet], bool],
        *,
        candidates: int = CANDIDATES,
        names: Names | None = None,
    ) -> None:
        self.names = names
        self.number = 0
        self.switchboard = Switchboard(
            partial(admit, self), partial(announced, self), drops, candidates
        )
        self._allowed = allowed
        self._clock = clock
        self._drops = drops
        self._endpoints: list[Endpoint] = []
        self._ssrc = secrets.randbits(32)
        self._reported: dict[Stream, float] = {}

    async def open(self, host: str, number: int) -> None:
        """Listen on a port and the one after it; 0 takes any two.

        Raises:
            OSError: one of them cannot be had; none is kept.
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

    def remove(self, stream: Stream) -> None:
        """Forget a stream."""
        self.switchboard.remove(stream)
        self._reported.pop(stream, None)

    def _media(self, datagram: bytes, address: Address) -> None:
        now = self._clock()
        if not self._allowed(address[0]):
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
        if not self._allowed(address[0]):
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
                    self._tell(stream, item, now)
                    if isinstance(item, rtcp.SenderReport):
                        self._report(stream, address, now, endpoint)

    def _tell(self, stream: Stream, item: rtcp.Item, now: float) -> None:
        match item:
            case rtcp.SenderReport():
                stream.reported(item, now)
            case rtcp.Name(_, text):
                stream.cname = text or stream.cname
            case rtcp.Bye():
                stream.over = True

    def _report(self, stream: Stream, address: Address, now: float, endpoint: Endpoint) -> None:
        """Answer a sender report; only ever to a source that is an admitted call."""
        if now - self._reported.get(stream, -_REPORT_PAUSE) >= _REPORT_PAUSE:
            self._reported[stream] = now
            report = rtcp.receiver_report(self._ssrc, "coqui_server", stream.report(now))
            endpoint.send(report, address)
