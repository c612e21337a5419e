"""All RTP ports, and the legs of the calls on them."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from functools import partial

from coqui_server.exceptions import Busy, ConfigError
from coqui_server.rtp.admission import Admission
from coqui_server.rtp.drops import Drops
from coqui_server.rtp.leg import Leg
from coqui_server.rtp.names import Address, Names
from coqui_server.rtp.port import Port
from coqui_server.rtp.stream import Arrived, Stream
from coqui_server.rtp.switchboard import CANDIDATES
from coqui_server.transcription.events import Sink
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.service import Service

_ROUND, _LONGEST_ROUND, _ROUND_PER_LEG = 0.06, 0.3, 0.001
"""Seconds between two rounds over all legs. A leg decodes all new packets at once: a longer round
makes a packet cheaper (a fifth less at 200 ms than at 60) and events later. So rounds grow with the
number of legs, from sixty on."""

_GROUP = 16
"""Legs that decode in one turn of the event loop. A thousand legs in one turn would keep the loop
from the socket for longer than the kernel's buffer lasts."""

_LATE, _CATCH_UP = 0.03, 20
"""Seconds after which a round is late, and the turns of the event loop that it then waits for. Each
turn reads the socket; after so many the kernel's buffer is empty."""

_log = logging.getLogger(__name__)


class Listener:
    """Runs the shared port and the reserved ones. Use as an async context manager.

    Args:
        sinks: receive the events of every call.

    Attributes:
        admission: who may send, and the names of streams.
    """

    def __init__(self, service: Service, sinks: Sequence[Sink] = ()) -> None:
        self.settings = service.settings.rtp
        self.admission = Admission(self.settings)
        self.shared: Port | None = None
        self.drops = Drops()
        self._service = service
        self._sinks = tuple(sinks)
        self._clock = asyncio.get_running_loop().time
        self._stall = service.settings.vad.closing(live=True)[0] + self.settings.jitter
        self._ports: set[Port] = set()
        self._legs: dict[asyncio.Task[None], tuple[Leg, Port]] = {}
        self._waking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Listener":
        if self.settings.enabled:
            try:
                self.shared = await self.open(self.settings.port)
            except OSError as error:
                raise _unusable(error, self.settings.host, self.settings.port) from error
            self._waking = asyncio.create_task(self._wake_legs())
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = [*self._legs, *([self._waking] if self._waking else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._close_ports()

    def __iter__(self) -> Iterator[tuple[Leg, Port]]:
        """The open legs, each with its port."""
        return iter(list(self._legs.values()))

    @property
    def admits(self) -> bool:
        """Whether another call would be taken now."""
        try:
            self._service.check_room(SessionRequest("rtp"))
        except Busy:
            return False
        return self.settings.enabled and len(self._legs) < self.settings.max_calls

    async def open(self, number: int, names: Names | None = None) -> Port:
        """Listen on one more port. All its streams get these names.

        Raises:
            OSError: the port cannot be had.
        """
        port = Port(
            self,
            self._clock,
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
        """Play what the legs of a call (None: of all calls) have received, and finish them."""
        ending = [task for task, (leg, _) in self._legs.items() if call in (None, leg.call)]
        for task in ending:
            self._legs[task][0].end("ended here")
        await asyncio.gather(*ending, return_exceptions=True)

    async def drain(self) -> None:
        """Close the ports, and finish all calls."""
        self._close_ports()
        await self.end()

    def _close_ports(self) -> None:
        for port in list(self._ports):
            self.close(port)

    async def _wake_legs(self) -> None:
        while True:
            pause = max(_ROUND, min(_ROUND_PER_LEG * len(self._legs), _LONGEST_ROUND))
            due = self._clock() + pause
            await asyncio.sleep(pause)
            if self._clock() - due > _LATE:
                # Packets that came while the loop was busy wait in the kernel; they are not
                # silence.
                for _ in range(_CATCH_UP):
                    await asyncio.sleep(0)
            for count, (leg, _) in enumerate(self, 1):
                leg.look(self._clock())
                if count % _GROUP == 0:
                    await asyncio.sleep(0)
            self.drops.summarise(self._clock())

    def admit(self, port: Port, address: Address, packets: Arrived) -> Stream | None:
        """Open a stream and its leg, if its format is known and there is room for it."""
        newest, now = packets[-1]
        names = self.admission.names(port.names, address, newest.ssrc) or Names()
        if not self.admission.explains(names, packets):
            reason = f"of payload type {newest.payload_type}, which rtp.codecs does not explain"
        elif len(self._legs) >= self.settings.max_calls:
            reason = f"beyond the {self.settings.max_calls} calls of rtp.max_calls"
        else:
            try:
                self._service.check_room(SessionRequest("rtp"))
            except Busy as busy:
                reason = f"because {busy}"
            else:
                stream = Stream(address, packets, self.settings, self._stall, names)
                return self._opened(stream, port)
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
