"""Our own telephone: packets of our choice from a UDP socket of its own to a running server.

A whole clip may be sent at once, since what counts as time in a call is in its packets. The kernel
and the jitter buffer hold some 10 s of a call; who sends more awaits `taken` now and then.
"""

import asyncio
import socket
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache

import numpy as np
import soxr

from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.rtp.leg import Leg
from tests.rtp.coded import law
from tests.rtp.wire import SSRC, packet, rtp
from tests.support.daemon import Running
from tests.support.media import spoken

_AT_ONCE = 8
"""Packets sent before the server has its turn to read, which it does for twenty calls at once."""


@cache
def voice(name: str, start: float = 0.0, end: float | None = None) -> Samples:
    """Part of a sample clip, from and to these seconds, at 8 kHz."""
    whole = spoken(name)
    stop = None if end is None else round(end * SAMPLE_RATE)
    resampled: Samples = soxr.resample(
        whole[round(start * SAMPLE_RATE) : stop], SAMPLE_RATE, SAMPLE_RATE // 2
    )
    return resampled


def mu_law(*sounds: Samples) -> list[bytes]:
    """Sounds one after another as payloads of 20 ms."""
    return law(np.concatenate(sounds))


def hush(seconds: float) -> Samples:
    """Nothing at 8 kHz."""
    return np.zeros(round(seconds * SAMPLE_RATE / 2), np.int16)


def four_ports() -> str:
    """Four UDP ports in a row that nobody has now, as in `rtp.ports`."""
    for first in range(20_000, 30_000, 4):
        with ExitStack() as taken:
            try:
                for port in range(first, first + 4):
                    found = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                    taken.enter_context(found).bind(("127.0.0.1", port))
            except OSError:
                continue
            return f"{first}-{first + 3}"
    raise RuntimeError("there are none")


class Telephone:
    """One stream of RTP.

    Attributes:
        socket: where it sends from, connected to `port`.
        sequence, timestamp: of the next packet.
    """

    def __init__(self, server: Running, port: int, ssrc: int = SSRC) -> None:
        self.server = server
        self.port = port
        self.ssrc = ssrc
        self.sequence = 65_500
        self.timestamp = 2**32 - 16_000
        self.payload_type = 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.connect(("127.0.0.1", port))

    @property
    def source(self) -> str:
        """Where its packets come from, as the server calls it."""
        return f"127.0.0.1:{self.socket.getsockname()[1]}"

    @property
    def leg(self) -> Leg | None:
        """What the server has of the stream."""
        legs = [leg for leg, _ in self.server.rtp if leg.stream.ssrc == self.ssrc]
        return legs[0] if legs else None

    def send(self, payload: bytes, *, ticks: int = 160, timestamp: int | None = None) -> None:
        """Send the next packet; a timestamp of its own is not counted on from."""
        self.socket.send(
            rtp(
                packet(
                    self.sequence,
                    self.timestamp if timestamp is None else timestamp,
                    payload,
                    payload_type=self.payload_type,
                    ssrc=self.ssrc,
                )
            )
        )
        self.sequence += 1
        self.timestamp += ticks if timestamp is None else 0

    async def say(self, payloads: Iterable[bytes], *, ticks: int = 160, pace: float = 0.0) -> None:
        """Send packets, `pace` seconds apart."""
        for place, payload in enumerate(payloads):
            self.send(payload, ticks=ticks)
            if pace or place % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(pace)

    async def taken(self, seconds: float) -> None:
        """Wait until so much of this stream's sound is in its session."""
        while self.leg is None or self.leg.session is None or self.leg.session.duration < seconds:
            await asyncio.sleep(0.005)


@contextmanager
def calling(server: Running, *ssrcs: int, port: int | None = None) -> Iterator[list[Telephone]]:
    """Telephones that call the shared port, or another."""
    assert server.rtp.shared is not None
    number = port or server.rtp.shared.number
    telephones = [Telephone(server, number, ssrc) for ssrc in ssrcs or (SSRC,)]
    try:
        yield telephones
    finally:
        for telephone in telephones:
            telephone.socket.close()
