"""`coqui_server.rtp.switchboard`: a call opens a stream, noise opens none, and no word is lost."""

import tracemalloc

import numpy as np
import pytest

from coqui_server.rtp.drops import Drops
from coqui_server.rtp.names import Address
from coqui_server.rtp.packet import Packet
from coqui_server.rtp.stream import Arrived, Stream
from coqui_server.rtp.switchboard import SILENT, Switchboard
from tests.rtp.played import numbers
from tests.rtp.streamed import opened, rest, sent
from tests.rtp.wire import packet

PBX, GATEWAY = ("192.0.2.1", 4000), ("192.0.2.2", 4000)
AGENT, CALLER, OTHER = 0xA, 0xB, 0xC
PCMA = 8


class Board:
    """A switchboard that lets everybody in, unless told not to.

    Attributes:
        opened: all streams there ever were.
        refused: times that a source was not let in.
        reserved: the port is reserved for one call.
    """

    def __init__(self, *announced: Address) -> None:
        self.opened: list[Stream] = []
        self.refused = 0
        self.full = self.reserved = False
        self.drops = Drops()
        self.switchboard = Switchboard(self, self.drops)
        self._announced = announced

    def announced(self, address: Address, packet: Packet) -> bool:
        return address in self._announced

    def admit(self, address: Address, packets: Arrived) -> Stream | None:
        if self.full:
            self.refused += 1
            return None
        self.opened.append(opened(packets, address=address))
        return self.opened[-1]

    def receive(self, address: Address, *arrived: tuple[Packet, float]) -> None:
        """Take packets in the order of their arrival."""
        for one, time in sorted(arrived, key=lambda made: made[1]):
            self.switchboard.receive(address, one, time)

    def heard(self) -> list[list[int]]:
        """What each stream that was opened had to say."""
        return [numbers(rest(stream)) for stream in self.opened]


def test_one_packet_opens_nothing_and_two_in_a_row_do() -> None:
    """Both are heard: the first word is in them."""
    board = Board()
    board.receive(PBX, *sent([1]))
    assert board.opened == []
    board.receive(PBX, *sent([2, 3], 100.02))
    assert list(board.switchboard) == board.opened
    assert board.heard() == [[1, 2, 3]]


def test_two_in_a_row_may_wrap() -> None:
    """65535 and 0 are in a row."""
    board = Board()
    board.receive(PBX, *sent([1, 2], sequence=65_534))
    assert board.heard() == [[1, 2]]


@pytest.mark.parametrize("order", [[2, 1], [1, 1], [1, 3], [3, 1], [9, 5]])
def test_two_packets_not_in_a_row_open_nothing(order: list[int]) -> None:
    """Backwards, doubled or apart, they are no proof yet."""
    board = Board()
    for place, number in enumerate(order):
        board.receive(PBX, *sent([number], 100 + place / 50))
    assert board.opened == []


def test_first_packets_that_overtook_each_other_are_all_heard() -> None:
    """The stream opens at the first two in a row, and has those before them too."""
    board = Board()
    for place, number in enumerate([1, 3, 2, 5, 4, 6, 7, 8]):
        board.receive(PBX, *sent([number], 100 + place / 50))
    assert board.heard() == [[1, 2, 3, 4, 5, 6, 7, 8]]


def test_a_second_packet_must_not_be_long_in_coming() -> None:
    """Two numbers in a row a minute apart are chance."""
    board = Board()
    board.receive(PBX, *sent([1], 100.0), *sent([2], 101.1))
    assert board.opened == []
    board.receive(PBX, *sent([3], 102.0))
    assert board.heard() == [[2, 3]]


def test_a_source_that_was_announced_opens_at_once() -> None:
    """Its one packet is heard; others are still put to the proof."""
    board = Board(PBX)
    board.receive(GATEWAY, *sent([1], ssrc=OTHER))
    board.receive(PBX, *sent([5]))
    assert [stream.address for stream in board.opened] == [PBX]
    assert board.heard() == [[5]]


@pytest.mark.parametrize(
    "second",
    [
        packet(8, 1160, b"noise", payload_type=PCMA),
        packet(8, 1160 + 2**31, b"noise"),
        packet(8, 1160 - 2**20, b"noise"),
    ],
    ids=["another payload type", "far ahead", "far back"],
)
def test_two_numbers_in_a_row_alone_open_nothing(second: Packet) -> None:
    """The numbers are in a row by chance. A packet that fits the second one opens the stream."""
    board = Board()
    board.receive(PBX, (packet(7, 1000, b"noise"), 100.0), (second, 100.02))
    assert board.opened == []
    third = second._replace(sequence=9, timestamp=(second.timestamp + 160) % 2**32)
    board.receive(PBX, (third, 100.04))
    assert len(board.opened) == 1


@pytest.mark.parametrize("ssrcs", [1, 8])
def test_noise_under_few_ssrcs_opens_nothing(ssrcs: int) -> None:
    """In 200,000 packets of random numbers, types and times, some numbers are in a row."""
    board, random = Board(), np.random.default_rng(3)
    rows = random.integers([128, 2**16, 2**32, ssrcs], size=(200_000, 4)).tolist()
    last: dict[int, int] = {}
    in_a_row = 0
    for place, (kind, sequence, timestamp, ssrc) in enumerate(rows):
        in_a_row += last.get(ssrc) == sequence - 1
        last[ssrc] = sequence
        noise = packet(sequence, timestamp, b"noise", payload_type=kind, ssrc=ssrc)
        board.receive(PBX, (noise, 100 + place / 10_000))
    assert in_a_row > 0, "chance put some in a row"
    assert board.opened == []


def test_noise_opens_nothing_and_stays_bounded() -> None:
    """10,000 sources of one packet each take no memory, and do not harm a call beside them."""
    board, random = Board(), np.random.default_rng(5)
    tracemalloc.start()
    for turn in range(1, 101):
        for ssrc, sequence in random.integers([2**32, 2**16], size=(100, 2)):
            board.receive(PBX, *sent([0], 100 + turn / 50, sequence=int(sequence), ssrc=int(ssrc)))
        board.receive(GATEWAY, *sent([turn], 100 + turn / 50))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2 * 2**20
    assert [stream.address for stream in board.opened] == [GATEWAY]
    assert board.heard() == [list(range(1, 101))]


def test_a_new_ssrc_after_silence_goes_on_with_the_stream() -> None:
    """Asterisk changes it in mid-call; the call and its session stay."""
    board = Board()
    board.receive(PBX, *sent([1, 2, 3], ssrc=AGENT))
    board.receive(PBX, *sent([4, 5, 6], 100.2, ssrc=CALLER, sequence=777, timestamp=99))
    assert len(board.opened) == 1
    assert board.opened[0].ssrc == CALLER
    assert board.heard() == [[1, 2, 3, *[0] * 7, 4, 5, 6]]


def test_a_new_ssrc_without_silence_goes_on_too() -> None:
    """Its packets are kept while the old one might still speak, and none is lost."""
    board = Board()
    board.receive(PBX, *sent([1, 2, 3], ssrc=AGENT))
    board.receive(PBX, *sent(range(4, 20), 100.06, ssrc=CALLER, sequence=777, timestamp=99))
    assert board.heard() == [list(range(1, 20))]


def test_the_one_silent_last_goes_on() -> None:
    """Of two silent streams of an address, the one that was heard last."""
    board = Board()
    board.receive(PBX, *sent(range(1, 20), ssrc=AGENT), *sent(range(1, 25), ssrc=CALLER))
    board.receive(PBX, *sent([40, 41], 101.0, ssrc=OTHER))
    assert {stream.ssrc for stream in board.opened} == {AGENT, OTHER}


@pytest.mark.parametrize("start", [100.0, 100.01, 100.5])
def test_two_ssrcs_that_speak_at_once_are_two_streams(start: float) -> None:
    """No packet of the second is lost while it is found out."""
    board = Board()
    board.receive(
        PBX,
        *sent(range(1, 50), ssrc=AGENT),
        *sent(range(51, 80), start, ssrc=CALLER, sequence=9000),
    )
    assert [stream.ssrc for stream in board.opened] == [AGENT, CALLER]
    assert board.heard() == [list(range(1, 50)), list(range(51, 80))]


def test_a_second_speaker_whose_packets_are_lost_is_heard() -> None:
    """Once two were in a row, no other two need be."""
    board = Board()
    board.receive(
        PBX,
        *sent(range(1, 30), ssrc=AGENT),
        *sent([50, 51, 53, 55, 57, 59, 61], 100.01, ssrc=CALLER),
    )
    assert board.heard() == [list(range(1, 30)), [50, 51, 0, 53, 0, 55, 0, 57, 0, 59, 0, 61]]


def test_the_same_ssrc_from_another_address_is_dropped_and_counted() -> None:
    """The first is kept, and unharmed; once it is gone the other may come."""
    board = Board()
    board.receive(PBX, *sent([1, 2, 3]))
    board.receive(GATEWAY, *sent(range(50, 60), 100.01))
    board.receive(PBX, *sent([4, 5], 100.06))
    assert [stream.address for stream in board.opened] == [PBX]
    assert board.drops.total == {"with the SSRC of a stream from another address": 9}
    board.switchboard.remove(board.opened[0])
    board.receive(GATEWAY, *sent([60, 61], 100.21))
    first, second = board.heard()
    assert first == [1, 2, 3, 4, 5]
    assert second[-2:] == [60, 61]


NAT = (PBX[0], PBX[1] + 1000)


@pytest.mark.parametrize("reserved", [False, True])
def test_a_sender_that_moves_is_followed(reserved: bool) -> None:
    """From another port of its host, or for a reserved port from any host: one stream goes on."""
    board = Board()
    board.reserved = reserved
    moved = GATEWAY if reserved else NAT
    board.receive(PBX, *sent(range(1, 10)))
    board.receive(moved, *sent(range(10, 30), 100.18))
    assert [stream.address for stream in board.opened] == [moved]
    assert board.heard() == [list(range(1, 30))]


def test_a_sender_that_moves_back_is_followed() -> None:
    """As often as it likes."""
    board = Board()
    board.receive(PBX, *sent(range(1, 10)))
    board.receive(NAT, *sent(range(10, 20), 100.18))
    board.receive(PBX, *sent(range(20, 30), 100.38))
    assert board.heard() == [list(range(1, 30))]


def test_another_host_is_not_followed() -> None:
    """It could be anybody who has seen a packet."""
    board = Board()
    board.receive(PBX, *sent(range(1, 10)))
    board.receive(GATEWAY, *sent(range(10, 30), 100.18))
    assert board.heard() == [list(range(1, 10))]


def test_what_does_not_go_on_is_not_followed() -> None:
    """The numbers of another stream, before or far after those of this one."""
    board = Board()
    board.receive(PBX, *sent(range(100, 110)))
    board.receive(NAT, *sent(range(50, 70), 100.18))
    board.receive(NAT, *sent(range(10, 30), 102.18, sequence=9000))
    assert board.heard() == [list(range(100, 110))]


def test_a_copy_does_not_take_over_in_a_pause() -> None:
    """It began while the stream was alive."""
    board = Board()
    board.receive(PBX, *sent(range(1, 10)))
    board.receive(NAT, *sent(range(5, 30), 100.08))
    assert [stream.address for stream in board.opened] == [PBX]


def test_one_address_has_so_many_streams() -> None:
    """Eight that speak at once, and no ninth; another address has its own eight."""
    board = Board()
    streams = [
        made for ssrc in range(12) for made in sent(range(1, 30), 100 + ssrc / 1000, ssrc=ssrc)
    ]
    board.receive(PBX, *streams)
    assert [stream.ssrc for stream in board.opened] == list(range(8))
    assert board.drops.total["beyond the streams one address may have"] > 20
    board.receive(GATEWAY, *sent([1, 2], 100.6, ssrc=500))
    assert len(board.opened) == 9


def test_a_goodbye_ends_the_stream_for_good() -> None:
    """Another SSRC right after it is another call, heard at once though the old one lingers."""
    board = Board()
    board.receive(PBX, *sent([1, 2, 3], ssrc=AGENT))
    board.opened[0].over = True
    board.receive(PBX, *sent(range(10, 60), 100.06, ssrc=CALLER))
    assert board.heard() == [[1, 2, 3], list(range(10, 60))]


def test_who_is_refused_may_come_later() -> None:
    """Nothing is kept of them but their last packets, which are heard if there is room."""
    board = Board()
    board.full = True
    board.receive(PBX, *sent(range(1, 100)))
    assert (board.refused, list(board.switchboard)) == (98, [])
    board.full = False
    board.receive(PBX, *sent([100], 101.98))
    assert board.heard() == [list(range(69, 101))]


def test_reports_find_their_stream() -> None:
    """By host and SSRC, since RTCP comes from another port."""
    board = Board()
    board.receive(PBX, *sent([1, 2], ssrc=AGENT))
    assert board.switchboard.find(PBX[0], AGENT) is board.opened[0]
    assert board.switchboard.find(PBX[0], CALLER) is None
    assert board.switchboard.find(GATEWAY[0], AGENT) is None
    board.receive(PBX, *sent([3, 4], 101.0, ssrc=CALLER))
    assert board.switchboard.find(PBX[0], CALLER) is board.opened[0]
    assert board.switchboard.find(PBX[0], AGENT) is None
    board.switchboard.remove(board.opened[0])
    assert board.switchboard.find(PBX[0], CALLER) is None
    assert list(board.switchboard) == []


def test_a_stream_that_was_removed_has_to_prove_itself_again() -> None:
    """One packet more of an ended call does not open another."""
    board = Board()
    board.receive(PBX, *sent([1, 2]))
    board.switchboard.remove(board.opened[0])
    board.receive(PBX, *sent([3], 100.0 + SILENT))
    assert list(board.switchboard) == []
    board.receive(PBX, *sent([4], 100.1))
    assert board.heard() == [[1, 2], [3, 4]]
