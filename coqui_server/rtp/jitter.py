"""The jitter buffer: packets of one run of sequence numbers in any order, out in order.

Nothing is played to a person, so there is no playout clock. Packets in order go out at once; only a
gap is waited for, at most `window` seconds. A packet that comes later widens the window for the
rest of the run, to what would have been enough.
"""

from typing import NamedTuple

from coqui_server.rtp.packet import SEQUENCES, Packet, ahead

MAX_DROPOUT = 3000
MAX_MISORDER = 100
"""How far a sequence number may be ahead of or behind the highest (RFC 3550 A.1)."""

_MAX_WINDOW = 0.2
"""Seconds that the window may grow to."""

_CAPACITY = 500
"""Packets held at most: 10 s of 20 ms packets, longer than any window."""

_MAX_BEHIND_GAP = 64
"""Packets behind a gap that end the wait for it: the sender is faster than real time."""


class Arrival(NamedTuple):
    """A packet, its sequence number extended over wraps, and its arrival time in seconds."""

    number: int
    packet: Packet
    time: float


class JitterBuffer:
    """Holds packets until those before them have come or count as lost.

    Attributes:
        packets: received, each once.
        lost: never came.
        late: came after they counted as lost, and were dropped.
        duplicates: came again.
        overrun: dropped because the buffer was full.
    """

    def __init__(self, window: float, first: int) -> None:
        self.packets = self.late = self.duplicates = self.overrun = 0
        self.highest = first - 1
        self._base = first
        self._next = first
        self._window = window
        self._held: dict[int, Arrival] = {}
        self._given_up: dict[int, float] = {}

    @property
    def expected(self) -> int:
        """Packets expected by the sequence numbers so far."""
        return self.highest + 1 - self._base

    @property
    def received(self) -> int:
        """Packets that came, also late ones and duplicates (RFC 3550 A.3)."""
        return self.packets + self.late + self.duplicates

    @property
    def lost(self) -> int:
        return self.expected - self.packets - self.late

    def push(self, packet: Packet, now: float) -> bool:
        """Take a packet; False if its sequence number is too far from the highest for this run."""
        step = ahead(packet.sequence, self.highest, SEQUENCES)
        if not -MAX_MISORDER < step < MAX_DROPOUT:
            return False
        number = self.highest + step
        if number < self._next:
            self._refuse(number, now)
        elif number in self._held:
            self.duplicates += 1
        elif len(self._held) >= _CAPACITY:
            self.overrun += 1
        else:
            self.packets += 1
            self._held[number] = Arrival(number, packet, now)
            self.highest = max(self.highest, number)
        return True

    def pop(self, now: float, *, flush: bool = False) -> list[Arrival]:
        """The packets in order so far; with `flush`, all that are held."""
        ready: list[Arrival] = []
        while self._held:
            if (arrival := self._held.pop(self._next, None)) is not None:
                ready.append(arrival)
                self._next += 1
            elif flush or self._waited(now):
                self._give_up(now)
            else:
                break
        return ready

    def _waited(self, now: float) -> bool:
        oldest = min(arrival.time for arrival in self._held.values())
        return len(self._held) > _MAX_BEHIND_GAP or now - oldest >= self._window

    def _give_up(self, now: float) -> None:
        following = min(self._held)
        came = self._held[following].time
        for number in range(max(self._next, following - MAX_MISORDER), following):
            self._given_up[number] = came
        while len(self._given_up) > MAX_MISORDER:
            del self._given_up[next(iter(self._given_up))]
        self._next = following

    def _refuse(self, number: int, now: float) -> None:
        """Count a packet that came too late, and widen the window."""
        due = self._given_up.pop(number, None)
        if due is None:
            self.duplicates += 1
        else:
            self.late += 1
            self._window = max(self._window, min(now - due, _MAX_WINDOW))
