"""Call control: reserved ports, the list of calls, and the names of streams."""

import asyncio
import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from coqui_server.exceptions import BadCommand, Busy, NoSuchCall
from coqui_server.rtp import commands
from coqui_server.rtp.leg import Leg
from coqui_server.rtp.listener import Listener
from coqui_server.rtp.names import NamedStream, Names
from coqui_server.rtp.port import Port

_UNUSED = 300.0
"""Seconds without any stream after which a reservation ends by itself."""

_log = logging.getLogger(__name__)


@dataclass
class _Reservation:
    id: str
    label: str | None
    made: float
    ports: list[Port]
    expiry: asyncio.TimerHandle | None = None


class Calls:
    """The commands about calls."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._reserved: dict[str, _Reservation] = {}
        first, last = listener.settings.ports
        self._pairs = range(first + first % 2, last, 2)
        self._turn = 0

    async def reserve(
        self,
        id: str | None = None,
        label: str | None = None,
        codec: str | None = None,
        legs: int | Sequence[Any] = 1,
    ) -> dict[str, Any]:
        """Reserve a port for each leg of a call, and return where they are.

        The call ends by itself when nobody has used it for five minutes, or `rtp.abandoned` after
        its last stream.

        Args:
            codec: the format of its dynamic payload types, as in SDP: "opus/48000/2".
            legs: as in `commands.legs`.

        Raises:
            BadCommand: a value that cannot be, or an id that is taken.
            Busy: `rtp.ports` are all in use.
        """
        label = commands.text("label", label)
        id = commands.text("id", id) or str(uuid.uuid4())
        every = Names(id, label, commands.format(codec))
        call = await self._open(id, label, commands.legs(legs, every))
        self._look_later(call, _UNUSED)
        return self._shown(call)

    def list(self) -> list[dict[str, Any]]:
        """All calls, with and without reserved ports."""
        calls = {id: self._shown(call) for id, call in self._reserved.items()}
        for leg, port in self._listener:
            if leg.call not in self._reserved:
                call = calls.setdefault(leg.call, _call(leg.call, leg.label, reserved=False))
                call["legs"].append(self._leg(port, leg.label, [leg]))
        return [*calls.values()]

    async def release(self, id: str) -> dict[str, Any]:
        """End a call: finish its sessions, free its ports; the call as it was.

        Raises:
            NoSuchCall: there is none of that id.
        """
        shown = next((call for call in self.list() if call["id"] == id), None)
        if shown is None:
            raise NoSuchCall(f"there is no call {id}")
        if call := self._reserved.get(id):
            self._forget(call)
        await self._listener.end(id)
        return shown

    def name(
        self,
        source: str | None = None,
        ssrc: int | None = None,
        call: str | None = None,
        label: str | None = None,
        codec: str | None = None,
    ) -> None:
        """Name a stream, before it comes or while it is there (as `rtp.streams` does).

        Raises:
            BadCommand: neither source nor SSRC is given, or a value cannot be.
            Busy: too many were named.
        """
        if source is None and ssrc is None:
            raise BadCommand("give source (address or address:port) or ssrc")
        if ssrc is not None and not (type(ssrc) is int and 0 <= ssrc < 2**32):
            raise BadCommand("ssrc is a number from 0 to 4294967295")
        names = Names(
            commands.text("call", call), commands.text("label", label), commands.format(codec)
        )
        named = NamedStream(commands.text("source", source), ssrc, names)
        self._listener.admission.named.add(named)
        for leg, _ in self._listener:
            if names.label and named.matches(leg.stream.address, leg.stream.ssrc):
                leg.rename(names.label)

    def room(self) -> dict[str, Any]:
        """How full it is: whether another call may come (`open`), the `legs` that are reserved or
        there, and the `most` there can be."""
        ports = {id(port) for call in self._reserved.values() for port in call.ports}
        others = [leg for leg, port in self._listener if id(port) not in ports]
        most = self._listener.settings.max_calls
        return {"open": self._listener.admits, "legs": len(ports) + len(others), "most": most}

    def close(self) -> None:
        """Forget all reservations; their ports are the listener's to close."""
        for call in self._reserved.values():
            if call.expiry:
                call.expiry.cancel()
        self._reserved.clear()

    async def _open(self, id: str, label: str | None, legs: Sequence[Names]) -> _Reservation:
        if any(call["id"] == id for call in self.list()):
            raise BadCommand(f"there is a call {id} already")
        call = self._reserved[id] = _Reservation(id, label, self._loop.time(), [])
        try:
            for names in legs:
                call.ports.append(await self._port(names))
        except BaseException:
            self._forget(call)
            raise
        return call

    async def _port(self, names: Names) -> Port:
        for _ in self._pairs:
            number = self._pairs[self._turn % len(self._pairs)]
            self._turn += 1
            try:
                return await self._listener.open(number, names)
            except OSError:
                continue
        raise Busy("all ports of rtp.ports are in use")

    def _look_later(self, call: _Reservation, seconds: float) -> None:
        seconds = min(seconds, self._listener.settings.abandoned)
        call.expiry = self._loop.call_later(seconds, self._end_if_abandoned, call)

    def _end_if_abandoned(self, call: _Reservation) -> None:
        """Free the ports of a call that its gateway has left: many send no BYE and never release
        a call."""
        abandoned = self._listener.settings.abandoned
        if any(port in call.ports for _, port in self._listener):
            self._look_later(call, abandoned)
            return
        left = max((port.left for port in call.ports if port.left is not None), default=None)
        due = call.made + _UNUSED if left is None else left + abandoned
        if (still := due - self._loop.time()) > 0:
            self._look_later(call, still)
        else:
            _log.info("call %s: nobody uses it, its ports are free again", call.id)
            self._forget(call)

    def _forget(self, call: _Reservation) -> None:
        del self._reserved[call.id]
        if call.expiry:
            call.expiry.cancel()
        for port in call.ports:
            self._listener.close(port)

    def _shown(self, call: _Reservation) -> dict[str, Any]:
        shown = _call(call.id, call.label, reserved=True)
        for port in call.ports:
            legs = [leg for leg, other in self._listener if other is port]
            label = port.names.label if port.names else None
            shown["legs"].append(self._leg(port, label, legs))
        return shown

    def _leg(self, port: Port, label: str | None, legs: Sequence[Leg]) -> dict[str, Any]:
        settings = self._listener.settings
        return {
            "label": label,
            "host": settings.advertise or settings.host,
            "port": port.number,
            "streams": [leg.statistics() for leg in legs],
        }


def _call(id: str, label: str | None, *, reserved: bool) -> dict[str, Any]:
    return {"id": id, "label": label, "reserved": reserved, "legs": []}
