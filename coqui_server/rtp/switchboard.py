"""Finds the stream of a packet, and puts new sources on probation. No sockets, no clock of its own.

A stream is one SSRC from one address. A gateway may change the SSRC in mid-call (Asterisk does,
with every new source). Noise must not open a stream.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from coqui_server.rtp.drops import Drops
from coqui_server.rtp.names import Address
from coqui_server.rtp.packet import SEQUENCES, TIMESTAMPS, Packet, ahead
from coqui_server.rtp.stream import Arrived, Stream

SILENT = 0.06
"""Seconds without a packet after which a source may have been replaced by another."""

_HELD = 32
"""Packets kept of a candidate: more than come during its probation."""

CANDIDATES = 256
"""Sources that may be on probation at a time, unless more calls are allowed."""

_STREAMS_OF_AN_ADDRESS = 8
_RESTART = 1.0
"""Seconds without a packet after which a candidate's probation begins again."""

_STEP = 96_000
"""Timestamp units between two packets in a row, at most: a second of a 96 kHz clock. One random
timestamp in 22,000 is as near."""


class SwitchboardOwner(Protocol):
    """What a switchboard needs of its port."""

    @property
    def reserved(self) -> bool:
        """The port is reserved for one call, so that any allowed host may send it."""

    def announced(self, address: Address, packet: Packet) -> bool:
        """Whether one packet of this source is enough to open a stream."""

    def admit(self, address: Address, packets: Arrived) -> Stream | None:
        """A stream for a validated source, or None to refuse it."""


@dataclass
class _Candidate:
    """A source on probation (RFC 3550 A.1)."""

    began: float
    packets: deque[tuple[Packet, float]] = field(default_factory=lambda: deque(maxlen=_HELD))
    valid: bool = False


class Switchboard:
    """The streams of one port.

    Args:
        candidates: sources on probation at a time. After a restart beside a busy gateway, all
            calls come at the same moment.
    """

    def __init__(self, owner: SwitchboardOwner, drops: Drops, candidates: int = CANDIDATES) -> None:
        self._owner = owner
        self._drops = drops
        self._limit = candidates
        self._streams: dict[tuple[Address, int], Stream] = {}
        self._sources: dict[int, Stream] = {}
        self._candidates: OrderedDict[tuple[Address, int], _Candidate] = OrderedDict()

    @property
    def candidates(self) -> int:
        """Sources on probation now."""
        return len(self._candidates)

    def __iter__(self) -> Iterator[Stream]:
        return iter(list(self._streams.values()))

    def receive(self, address: Address, packet: Packet, now: float) -> None:
        """Take a packet that came from `address` at `now` (seconds)."""
        key = address, packet.ssrc
        if (stream := self._streams.get(key)) is not None:
            stream.receive(packet, now)
            return
        candidate = self._candidate(key, now)
        proven = bool(candidate.packets) and _follows(packet, candidate.packets[-1][0])
        candidate.packets.append((packet, now))
        candidate.valid |= proven or self._owner.announced(address, packet)
        if candidate.valid:
            self._assign(address, candidate, now)

    def find(self, host: str, ssrc: int) -> Stream | None:
        """The stream of this SSRC from this host; RTCP may come from another port."""
        stream = self._sources.get(ssrc)
        return stream if stream is not None and stream.address[0] == host else None

    def remove(self, stream: Stream) -> None:
        """Forget a stream; later packets of it are on probation again."""
        self._streams.pop((stream.address, stream.ssrc), None)
        self._sources.pop(stream.ssrc, None)

    def _candidate(self, key: tuple[Address, int], now: float) -> _Candidate:
        candidate = self._candidates.pop(key, None)
        if candidate is None or now - candidate.packets[-1][1] > _RESTART:
            candidate = _Candidate(now)
        self._candidates[key] = candidate
        if len(self._candidates) > self._limit:
            self._candidates.popitem(last=False)
        return candidate

    def _assign(self, address: Address, candidate: _Candidate, now: float) -> None:
        """Give a valid candidate the stream that it continues, or a new one, or wait."""
        if (known := self._sources.get(candidate.packets[-1][0].ssrc)) is not None:
            self._follow(known, address, candidate, now)
            return
        others = [
            stream
            for (other, _), stream in self._streams.items()
            if other == address and not stream.over
        ]
        silent = [stream for stream in others if now - stream.heard > SILENT]
        if silent:
            stream = max(silent, key=lambda stream: stream.heard)
            self.remove(stream)
            stream.resume(list(candidate.packets))
            self._enter(address, stream)
        elif all(stream.heard > candidate.began + SILENT for stream in others):
            self._open(address, candidate, len(others), now)

    def _follow(self, stream: Stream, address: Address, candidate: _Candidate, now: float) -> None:
        """Let a stream go on from another address: a NAT or a re-INVITE has moved its sender. A
        copy beside the living stream is refused."""
        allowed = address[0] == stream.address[0] or self._owner.reserved
        silent = stream.heard <= candidate.began and now - stream.heard > SILENT
        if allowed and silent and stream.goes_on_with(candidate.packets[0][0], now):
            del self._streams[stream.address, stream.ssrc]
            stream.address = address
            self._enter(address, stream)
            for packet, at in candidate.packets:
                stream.receive(packet, at)
        else:
            self._drops.count("with the SSRC of a stream from another address", address, now)

    def _open(self, address: Address, candidate: _Candidate, others: int, now: float) -> None:
        if others >= _STREAMS_OF_AN_ADDRESS:
            self._drops.count("beyond the streams one address may have", address, now)
        elif (stream := self._owner.admit(address, list(candidate.packets))) is not None:
            self._enter(address, stream)

    def _enter(self, address: Address, stream: Stream) -> None:
        self._candidates.pop((address, stream.ssrc), None)
        self._streams[address, stream.ssrc] = stream
        self._sources[stream.ssrc] = stream


def _follows(packet: Packet, last: Packet) -> bool:
    """Whether two packets look like a call: numbers in a row (RFC 3550 A.1, MIN_SEQUENTIAL 2), one
    payload type, and timestamps near each other.

    Numbers alone do not prove it: noise under one SSRC has two in a row once in 65,536 packets.
    """
    return (
        packet.sequence == (last.sequence + 1) % SEQUENCES
        and packet.payload_type == last.payload_type
        and abs(ahead(packet.timestamp, last.timestamp, TIMESTAMPS)) <= _STEP
    )
