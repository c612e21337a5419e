"""Streams, and what is put into and taken out of them, for the tests of `coqui_server.rtp`."""

from collections.abc import Sequence
from typing import Any

from coqui_server.config.rtp import RtpSettings
from coqui_server.rtp.names import Address, Names
from coqui_server.rtp.packet import Packet
from coqui_server.rtp.playout import Pause, Piece
from coqui_server.rtp.stream import Arrived, Stream
from tests.rtp.played import L16, PACKET, counting
from tests.rtp.wire import SSRC, packet

ADDRESS = ("192.0.2.7", 4000)
STALL = 0.56
LATER = 1000.0
PAYLOADS = counting(300, first=0)


def sent(
    numbers: Sequence[int],
    start: float = 100.0,
    *,
    sequence: int = 0,
    timestamp: int = 0,
    ssrc: int = SSRC,
) -> list[tuple[Packet, float]]:
    """Packets with these numbers as their sound, 20 ms apart from the first, and when they came."""
    return [
        (
            packet(
                sequence + number,
                timestamp + number * PACKET,
                PAYLOADS[number],
                payload_type=L16,
                ssrc=ssrc,
            ),
            start + (number - numbers[0]) * 0.02,
        )
        for number in numbers
    ]


def opened(
    first: Arrived, names: Names | None = None, address: Address = ADDRESS, **settings: Any
) -> Stream:
    """A stream that was admitted with these packets."""
    rtp = RtpSettings.model_validate({"byte_order": "network", "jitter": "60 ms"} | settings)
    return Stream(address, first, rtp, STALL, names or Names())


def receive(stream: Stream, arrived: Arrived) -> None:
    """Put packets in."""
    for one, time in arrived:
        stream.receive(one, time)


def rest(stream: Stream) -> list[Piece]:
    """All there still is, without the pause that ends it."""
    *pieces, end = stream.take(LATER, flush=True)
    assert end == Pause(0)
    return pieces


def counts(stream: Stream) -> tuple[int, int, int, int]:
    """Packets, lost, late and duplicates."""
    told = stream.statistics()
    return told["packets"], told["lost"], told["late"], told["duplicates"]
