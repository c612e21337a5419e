"""`coqui_server.rtp.switchboard` with sources that come, speak together, pause and go."""

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from coqui_server.rtp.names import Address
from coqui_server.rtp.stream import Stream
from tests.rtp.played import L16, PACKET, sound
from tests.rtp.test_switchboard import GATEWAY, PBX, Board
from tests.rtp.wire import packet

pytestmark = pytest.mark.process

Source = tuple[Address, int]

SOURCES: list[Source] = [(PBX, 1), (PBX, 2), (PBX, 3), (GATEWAY, 4), (GATEWAY, 5), (GATEWAY, 1)]
"""Two of one SSRC at different addresses among them."""

sources = some.sampled_from(SOURCES)


class Calls(RuleBasedStateMachine):
    """Every packet has a number of its own for its sound, so that it is known where it is heard."""

    def __init__(self) -> None:
        super().__init__()
        self.board = Board()
        self.now = 100.0
        self.number = 0
        self.sequences = {source: 65_500 - 100 * n for n, source in enumerate(SOURCES)}
        self.sent: dict[int, Source] = {}
        self.heard: dict[Stream, list[int]] = {}

    @rule(speakers=some.sets(sources, min_size=1), packets=some.integers(1, 12))
    def speak(self, speakers: set[Source], packets: int) -> None:
        """Some speak at once, in turn, 20 ms by 20 ms."""
        for _ in range(packets):
            for source in sorted(speakers):
                self._send(source)
            self.now += 0.02
        self._listen()

    @rule(source=sources, packets=some.integers(1, 80))
    def lose(self, source: Source, packets: int) -> None:
        """Some packets do not come."""
        self.sequences[source] += packets

    @rule(milliseconds=some.integers(1, 2000))
    def wait(self, milliseconds: int) -> None:
        """Nobody speaks."""
        self.now += milliseconds / 1000
        self._listen()

    @rule(seed=some.integers(0, 2**32 - 1), sources=some.integers(1, 40))
    def noise(self, seed: int, sources: int) -> None:
        """Packets of sources that nobody knows, each with an SSRC of its own."""
        for ssrc, sequence in np.random.default_rng(seed).integers(2**16, size=(sources, 2)):
            self._packet((PBX, 2**31 + int(ssrc)), int(sequence))

    @rule(data=some.data(), goodbye=some.booleans())
    def end(self, data: some.DataObject, goodbye: bool) -> None:
        """A stream says goodbye, or its call is over."""
        if streams := list(self.board.switchboard):
            stream = data.draw(some.sampled_from(range(len(streams))).map(streams.__getitem__))
            if goodbye:
                stream.over = True
            else:
                self._listen()
                self.board.switchboard.remove(stream)

    @invariant()
    def streams_are_apart(self) -> None:
        """No SSRC has two streams, and no address more than it may."""
        streams = list(self.board.switchboard)
        assert len({stream.ssrc for stream in streams}) == len(streams)
        for address in (PBX, GATEWAY):
            assert sum(stream.address == address for stream in streams) <= 8

    @invariant()
    def nobody_is_heard_twice_or_elsewhere(self) -> None:
        """A packet is in one stream, of its own address, in the order it was sent."""
        everything = [number for numbers in self.heard.values() for number in numbers]
        assert len(everything) == len(set(everything))
        for stream, numbers in self.heard.items():
            assert {self.sent[number][0] for number in numbers} <= {stream.address}
            for source in SOURCES:
                own = [number for number in numbers if self.sent[number] == source]
                assert own == sorted(own)

    def teardown(self) -> None:
        """Whoever speaks for a while is heard from then on, whatever went before."""
        before = self.number
        for _ in range(12):
            for source in SOURCES:
                self._send(source)
            self.now += 0.02
        self._listen()
        heard = {number for numbers in self.heard.values() for number in numbers}
        lost = [self.sent[n] for n in range(before + 1, self.number + 1) if n not in heard]
        assert lost in ([(PBX, 1)] * 12, [(GATEWAY, 1)] * 12), "one of those with one SSRC"

    def _send(self, source: Source) -> None:
        self.sequences[source] += 1
        self._packet(source, self.sequences[source])

    def _packet(self, source: Source, sequence: int) -> None:
        self.number += 1
        self.sent[self.number] = source
        payload = np.full(PACKET, self.number, ">i2").tobytes()
        address, ssrc = source
        timestamp = round(self.now * 16_000)
        made = packet(sequence, timestamp, payload, payload_type=L16, ssrc=ssrc)
        self.board.receive(address, (made, self.now))

    def _listen(self) -> None:
        """Take what all streams have, and see that each packet is heard whole."""
        for stream in self.board.switchboard:
            pcm = sound(stream.take(self.now + 10, flush=True))
            found, places, counts = np.unique(pcm, return_index=True, return_counts=True)
            assert all(counts[found > 0] == PACKET)
            order = np.argsort(places[found > 0])
            self.heard.setdefault(stream, []).extend(found[found > 0][order].tolist())


TestCalls = Calls.TestCase
TestCalls.settings = settings(
    derandomize=True, max_examples=30, stateful_step_count=25, deadline=None
)
