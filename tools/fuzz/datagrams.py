"""Datagrams that no good sender sends: noise, and RTP and RTCP with something wrong in them.

Seeded: the same number makes the same datagrams.
"""

import random
import struct
from collections.abc import Callable, Iterator

from coqui_client.rtp import description, goodbye, sender_report
from tools.fuzz.mutation import mutated

SOURCES = range(0xBAD0000, 0xBAD0020)
"""The SSRCs of those that come near enough to RTP to be taken for it."""

_TYPES = (0, 0, 3, 8, 9, 10, 11, 13, 18, 19, 72, 96, 97, 101, 107, 118, 121, 125, 127)
_LONGEST = 1500

_CHANGE = 0.05
"""How often a source changes its type and its clock; a decoder should see more than one packet."""


def datagrams(seed: int) -> Iterator[bytes]:
    """Datagrams without end."""
    chance = random.Random(seed)
    sources = [_Source(ssrc, chance) for ssrc in SOURCES]
    kinds: list[Callable[[], bytes]] = [
        lambda: chance.randbytes(chance.randrange(_LONGEST)),
        lambda: b"\x80" + chance.randbytes(chance.randrange(200)),
        lambda: chance.choice(sources).rtp(),
        lambda: chance.choice(sources).rtcp(),
        lambda: mutated(chance.choice(sources).rtp(), chance),
        lambda: mutated(chance.choice(sources).rtcp(), chance),
    ]
    weights = (1, 1, 4, 0.2, 4, 1)
    while True:
        (kind,) = chance.choices(kinds, weights)
        yield kind()


class _Source:
    """One that counts as RTP does, with random payloads of whatever type."""

    def __init__(self, ssrc: int, chance: random.Random) -> None:
        self._ssrc = ssrc
        self._chance = chance
        self._sequence = chance.getrandbits(16)
        self._timestamp = chance.getrandbits(32)
        self._type = chance.choice(_TYPES)

    def rtp(self) -> bytes:
        chance = self._chance
        self._sequence = (self._sequence + chance.choice((1, 1, 1, 1, 2, -1, 5000))) % 2**16
        if chance.random() < _CHANGE:
            self._type = chance.choice(_TYPES)
            self._timestamp += chance.choice((8000, 100_000, -160, 2**30))
        self._timestamp = (self._timestamp + 160) % 2**32
        second = self._type | chance.getrandbits(1) << 7
        head = struct.pack("!BBHII", 0x80, second, self._sequence, self._timestamp, self._ssrc)
        return head + chance.randbytes(chance.choice((0, 1, 4, 10, 20, 33, 66, 160, 160)))

    def rtcp(self) -> bytes:
        report = sender_report(self._ssrc, self._chance.random() * 2**30, self._timestamp, 1, 160)
        whole = report + description(self._ssrc, "hostile")
        return whole + goodbye(self._ssrc) if self._chance.random() < 0.1 else whole
