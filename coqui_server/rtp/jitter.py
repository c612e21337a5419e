"""The jitter buffer: packets of one run of sequence numbers in any order, out in theirs.

Nothing is played to a person here, so there is no playout clock: what is in order goes out at
once, and only a gap is waited for, at most `window` seconds. A packet that comes later than that
widens the window, for the rest of the run, to what would have been enough.
"""

from typing import NamedTuple

from coqui_server.rtp.packet import SEQUENCES, Packet, ahead

MAX_DROPOUT = 3000
MAX_MISORDER = 100
"""How far a sequence number may be ahead of or behind the highest (RFC 3550 A.1)."""

_WIDEST = 0.2
"""Seconds the window may grow to."""

_MOST = 500
"""Packets held, 10 s of 20 ms: more than any window, less than a session may fall behind."""

_GAP_MOST = 64
"""Packets behind a gap that end the wait for it: a sender faster than real time."""


class Arrival(NamedTuple):
    """A packet, its sequence number counted on over wraps, and when it came, in seconds."""

    number: int
    packet: Packet
    time: float


class JitterBuffer:
    """Holds packets until those before them have come or are given up.

    Attributes:
        packets: taken in, each once.
        lost: never came.
        late: came after they were given up, and were dropped.
        duplicates: came again.
        overrun: dropped because nobody took what was held.
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
        """Packets the numbers so far promise."""
        return self.highest + 1 - self._base

    @property
    def received(self) -> int:
        """Packets that came, those that came too late or twice as well (RFC 3550 A.3)."""
        return self.packets + self.late + self.duplicates

    @property
    def lost(self) -> int:
        return self.expected - self.packets - self.late

    def push(self, packet: Packet, now: float) -> bool:
        """Take a packet, if its 16-bit number is near enough to the highest to be of this run."""
        step = ahead(packet.sequence, self.highest, SEQUENCES)
        if not -MAX_MISORDER < step < MAX_DROPOUT:
            return False
        number = self.highest + step
        if number < self._next:
            self._refuse(number, now)
        elif number in self._held:
            self.duplicates += 1
        elif len(self._held) >= _MOST:
            self.overrun += 1
        else:
            self.packets += 1
            self._held[number] = Arrival(number, packet, now)
            self.highest = max(self.highest, number)
        return True

    def pop(self, now: float, *, flush: bool = False) -> list[Arrival]:
        """The packets whose turn it is; with `flush`, all that are held."""
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
        return len(self._held) > _GAP_MOST or now - oldest >= self._window

    def _give_up(self, now: float) -> None:
        following = min(self._held)
        came = self._held[following].time
        for number in range(max(self._next, following - MAX_MISORDER), following):
            self._given_up[number] = came
        while len(self._given_up) > MAX_MISORDER:
            del self._given_up[next(iter(self._given_up))]
        self._next = following

    def _refuse(self, number: int, now: float) -> None:
        """Count a packet that came after its turn; wait longer for the next one like it."""
        due = self._given_up.pop(number, None)
        if due is None:
            self.duplicates += 1
        else:
            self.late += 1
            self._window = max(self._window, min(now - due, _WIDEST))
