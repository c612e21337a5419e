"""Call control: reserved ports, the list of calls, and the names of streams."""

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from coqui_server.exceptions import BadCommand, Busy, NoSuchCall
from coqui_server.media.formats import Format
from coqui_server.rtp.leg import Leg
from coqui_server.rtp.listener import Listener
from coqui_server.rtp.names import NamedStream, Names
from coqui_server.rtp.port import Port

MOST_LEGS = 8
_LONGEST_NAME = 200

_UNUSED = 300.0
"""Seconds without any stream after which a reservation ends by itself."""


@dataclass
class _Reservation:
    id: str
    label: str | None
    ports: list[Port]
    expiry: asyncio.TimerHandle | None = None


class Calls:
    """The commands about calls."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._reserved: dict[str, _Reservation] = {}
        first, last = listener.settings.ports
        self._pairs = range(first + first % 2, last, 2)
        self._turn = 0

    async def reserve(
        self,
        id: str | None = None,
        label: str | None = None,
        codec: str | None = None,
        legs: int | Sequence[str] = 1,
    ) -> dict[str, Any]:
        """Reserve a port for each leg of a call, and return where they are.

        Args:
            codec: the format of its dynamic payload types, as in SDP: "opus/48000/2".
            legs: how many, or the name of each.

        Raises:
            BadCommand: a value that cannot be, or an id that is taken.
            Busy: `rtp.ports` are all in use.
        """
        names = _leg_labels(legs, label)
        format = _format(codec)
        id = _text("id", id) or str(uuid.uuid4())
        if any(call["id"] == id for call in self.list()):
            raise BadCommand(f"there is a call {id} already")
        call = self._reserved[id] = _Reservation(id, _text("label", label), [])
        try:
            for name in names:
                call.ports.append(await self._port(Names(id, name, format)))
        except BaseException:
            self._forget(call)
            raise
        self._expire_later(call)
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
        names = Names(_text("call", call), _text("label", label), _format(codec))
        named = NamedStream(_text("source", source), ssrc, names)
        self._listener.admission.named.add(named)
        for leg, _ in self._listener:
            if names.label and named.matches(leg.stream.address, leg.stream.ssrc):
                leg.rename(names.label)

    def close(self) -> None:
        """Forget all reservations; their ports are the listener's to close."""
        for call in self._reserved.values():
            if call.expiry:
                call.expiry.cancel()
        self._reserved.clear()

    async def _port(self, names: Names) -> Port:
        for _ in self._pairs:
            number = self._pairs[self._turn % len(self._pairs)]
            self._turn += 1
            try:
                return await self._listener.open(number, names)
            except OSError:
                continue
        raise Busy("all ports of rtp.ports are in use")

    def _expire_later(self, call: _Reservation) -> None:
        loop = asyncio.get_running_loop()
        call.expiry = loop.call_later(_UNUSED, self._expire, call)

    def _expire(self, call: _Reservation) -> None:
        if any(port in call.ports for _, port in self._listener):
            self._expire_later(call)
        else:
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


def _text(name: str, value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_NAME or not value.isprintable():
        raise BadCommand(f"{name} is a printable text of 1 to {_LONGEST_NAME} characters")
    return value


def _format(text: str | None) -> Format | None:
    try:
        return Format.parse(text) if text is not None else None
    except (ValueError, AttributeError, TypeError) as wrong:
        raise BadCommand(f"codec: {wrong}") from wrong


def _leg_labels(legs: Any, label: str | None) -> Iterator[str | None]:
    if isinstance(legs, int) and not isinstance(legs, bool) and 1 <= legs <= MOST_LEGS:
        return iter([label] * legs)
    if isinstance(legs, list) and 1 <= len(legs) <= MOST_LEGS:
        return iter([_text("a leg's name", name) for name in legs])
    raise BadCommand(f"legs is a number from 1 to {MOST_LEGS}, or a list of so many names")
