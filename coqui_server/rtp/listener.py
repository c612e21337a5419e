"""All RTP ports and the calls on them: who may come in, and who looks after them to their end."""

import asyncio
import ipaddress
import logging
from collections.abc import Iterator, Sequence
from functools import partial

from coqui_server.config.rtp import NamedStreamSettings
from coqui_server.exceptions import Busy, ConfigError
from coqui_server.media import formats
from coqui_server.rtp.drops import Drops
from coqui_server.rtp.leg import Leg
from coqui_server.rtp.packet import Packet
from coqui_server.rtp.port import Port
from coqui_server.rtp.stream import Address, Arrived, Names, Stream
from coqui_server.rtp.switchboard import CANDIDATES
from coqui_server.transcription.events import Sink
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.service import Service

_ROUND, _LONGEST_ROUND, _ROUND_PER_LEG = 0.06, 0.3, 0.001
"""Seconds between two looks at all legs. A leg decodes what came meanwhile in one go: the longer a
round, the less a packet costs (a fifth less at 200 ms than at 60) and the later an event may be. So
rounds grow with the number of legs, from sixty on."""

_GROUP = 16
"""Legs that decode in one turn of the event loop. With all in one, a thousand would keep it from
the socket for longer than the kernel's buffer lasts."""

_LATE, _CATCH_UP = 0.03, 20
"""Seconds after which a round is late, and the turns of the event loop it then waits for: in each
the socket is read, and in so many the kernel's buffer is empty."""

_VERDICTS = 4096
"""Hosts whose right to send is remembered."""

_log = logging.getLogger(__name__)


class Listener:
    """Runs the shared port, and those that calls were given. Use as an async context manager.

    Args:
        sinks: told of every call, besides the service's own.

    Attributes:
        named: what the operator said of streams to come; may be added to.
    """

    def __init__(self, service: Service, sinks: Sequence[Sink] = ()) -> None:
        self.settings = service.settings.rtp
        self.named: list[NamedStreamSettings] = list(self.settings.streams)
        self.shared: Port | None = None
        self.drops = Drops()
        self._service = service
        self._sinks = tuple(sinks)
        self._clock = asyncio.get_running_loop().time
        self._stall = service.settings.vad.closing(live=True)[0] + self.settings.jitter
        self._verdicts: dict[str, bool] = {}
        self._ports: set[Port] = set()
        self._legs: dict[asyncio.Task[None], tuple[Leg, Port]] = {}
        self._rounds: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Listener":
        if self.settings.enabled:
            try:
                self.shared = await self.open(self.settings.port)
            except OSError as error:
                raise _unusable(error, self.settings.host, self.settings.port) from error
            self._rounds = asyncio.create_task(self._go_round())
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = [*self._legs, *([self._rounds] if self._rounds else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._close_ports()

    def __iter__(self) -> Iterator[tuple[Leg, Port]]:
        """The legs there are now, and the port of each."""
        return iter(list(self._legs.values()))

    async def open(self, number: int, names: Names | None = None) -> Port:
        """Listen on one more port; all its streams have these names.

        Raises:
            OSError: the port cannot be had.
        """
        port = Port(
            *(self._allowed, self._clock, self.drops, self._admit, self._announced),
            candidates=max(CANDIDATES, 2 * self.settings.max_calls),
            names=names,
        )
        await port.open(self.settings.host, number)
        self._ports.add(port)
        return port

    def close(self, port: Port) -> None:
        """Stop listening on a port."""
        self._ports.discard(port)
        port.close()

    async def end(self, call: str | None = None) -> None:
        """Play what the legs of a call (None: of all calls) still have, and finish them."""
        ending = [task for task, (leg, _) in self._legs.items() if call in (None, leg.call)]
        for task in ending:
            self._legs[task][0].end("ended here")
        await asyncio.gather(*ending, return_exceptions=True)

    async def drain(self) -> None:
        """Take nothing more, and finish all calls."""
        self._close_ports()
        await self.end()

    def _close_ports(self) -> None:
        for port in list(self._ports):
            self.close(port)

    async def _go_round(self) -> None:
        while True:
            pause = max(_ROUND, min(_ROUND_PER_LEG * len(self._legs), _LONGEST_ROUND))
            due = self._clock() + pause
            await asyncio.sleep(pause)
            if self._clock() - due > _LATE:
                # What came while the loop was away waits in the kernel, and is no silence.
                for _ in range(_CATCH_UP):
                    await asyncio.sleep(0)
            for count, (leg, _) in enumerate(self, 1):
                leg.look(self._clock())
                if count % _GROUP == 0:
                    await asyncio.sleep(0)
            self.drops.summarise(self._clock())

    def _allowed(self, host: str) -> bool:
        if (verdict := self._verdicts.get(host)) is not None:
            return verdict
        if len(self._verdicts) >= _VERDICTS:
            self._verdicts.clear()
        address = ipaddress.ip_address(host)
        plain = getattr(address, "ipv4_mapped", None) or address
        verdict = any(plain in network for network in self.settings.allow)
        self._verdicts[host] = verdict
        return verdict

    def _names(self, port: Port, address: Address, ssrc: int) -> Names | None:
        """What the operator said of a source, by its port or by the stream's own marks."""
        if port.names:
            return port.names
        for named in self.named:
            if named.matches(address, ssrc):
                return Names(named.call, named.label, named.codec)
        return None

    def _announced(self, port: Port, address: Address, packet: Packet) -> bool:
        """Whether one packet is enough: the first stream of a source the operator named."""
        names = self._names(port, address, packet.ssrc)
        if names is None or any(stream.address == address for stream in port.switchboard):
            return False
        return self._meaning(packet, names) is not None

    def _meaning(self, packet: Packet, names: Names) -> formats.Format | None:
        return formats.meaning(packet.payload_type, self.settings.codecs, names.codec)

    def _admit(self, port: Port, address: Address, packets: Arrived) -> Stream | None:
        """Open a stream and its leg, if there is room for one that can be understood."""
        newest, now = packets[-1]
        names = self._names(port, address, newest.ssrc) or Names()
        if not any(self._meaning(packet, names) for packet, _ in packets):
            reason = f"of payload type {newest.payload_type}, which rtp.codecs does not explain"
        elif len(self._legs) >= self.settings.max_calls:
            reason = f"beyond the {self.settings.max_calls} calls of rtp.max_calls"
        else:
            try:
                self._service.check_room(SessionRequest("rtp"))
            except Busy as busy:
                reason = f"because {busy}"
            else:
                return self._opened(
                    Stream(address, packets, self.settings, self._stall, names), port
                )
        self.drops.count(reason, address, now)
        return None

    def _opened(self, stream: Stream, port: Port) -> Stream:
        host, number = stream.address
        call = stream.names.call or f"{host}:{number}/{stream.ssrc:08x}"
        leg = Leg(stream, self._service, call, self._sinks, partial(port.remove, stream))
        task = leg.start()
        self._legs[task] = leg, port
        task.add_done_callback(self._over)
        return stream

    def _over(self, task: "asyncio.Task[None]") -> None:
        leg, port = self._legs.pop(task)
        port.remove(leg.stream)
        if not task.cancelled() and (error := task.exception()):
            _log.error("call %s: failed", leg.call, exc_info=error)


def _unusable(error: OSError, host: str, port: int) -> ConfigError:
    problem = f"UDP {port} or {port + 1} on {host} cannot be had ({error.strerror})"
    return ConfigError("rtp.port", f"{problem}; allowed: a free port with a free one after it")
