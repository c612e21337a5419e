"""Words lost when packets are: speech as PCMU over RTP, with loss, jitter and reordering.

    python -m benchmarks.loss FOLDER [--seed 1] [--set 'HOCON']

Each clip is a call of packets of 20 ms, as the daemon would take it from its socket: switchboard,
jitter buffer, decoding, session and engine, each 60 ms of the call in turn. The network is made up,
and so is the time, which therefore runs as fast as the recognizer. A packet is lost at random, by
itself; what is lost at 1 % is lost at 5 and 10 % as well, with jitter and without. With jitter each
packet takes 0 to 40 ms longer, evenly distributed, and so overtakes its neighbours.

WER is to the reference (with words missed, added and wrong) and to what was heard without loss and
jitter. "Lost" and "late" are the shares of the packets sent that never came and that came too late.
"""

import argparse
import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pyhocon import ConfigFactory

from benchmarks.speech import FRAME, SAMPLES, Clip, clips, errors
from coqui_server.config import loading
from coqui_server.config.settings import Settings
from coqui_server.engines import load_engines
from coqui_server.rtp.drops import Drops
from coqui_server.rtp.leg import play
from coqui_server.rtp.names import Address, Names
from coqui_server.rtp.packet import SEQUENCES, TIMESTAMPS, Packet
from coqui_server.rtp.playout import Piece
from coqui_server.rtp.stream import Arrived, Stream
from coqui_server.rtp.switchboard import Switchboard
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.service import Service
from coqui_server.transcription.session import Session

_LOSS = (0.0, 0.01, 0.05, 0.10)
_JITTER = 0.04
_PACKET = 0.02
_ROUND = 0.06
"""Seconds between two looks at a call, those of `rtp.listener`."""

_GATEWAY = ("127.0.0.1", 40_000)


@dataclass(frozen=True)
class Network:
    """`loss` is a share of the packets; `jitter` is seconds."""

    loss: float
    jitter: float
    seed: int

    def carry(self, frames: list[bytes]) -> list[tuple[float, Packet]]:
        """The packets of a call that arrive, by their arrival (seconds from the call's start)."""
        chance = random.Random(self.seed)
        arrivals = []
        for number, frame in enumerate(frames):
            # Both are drawn for each packet, so that all networks of a seed lose the same ones.
            lost, delay = chance.random() < self.loss, chance.random() * self.jitter
            if not lost:
                arrivals.append((number * _PACKET + delay, packet(number, frame)))
        return sorted(arrivals, key=lambda arrival: arrival[0])


def packet(number: int, frame: bytes) -> Packet:
    """The packet of that number; numbers and timestamps wrap within the first second."""
    sequence = (SEQUENCES - 20 + number) % SEQUENCES
    timestamp = (TIMESTAMPS - 30 * FRAME + number * FRAME) % TIMESTAMPS
    return Packet(0, number == 0, sequence, timestamp, 0xC0C1, frame)


class Receiver:
    """One call's way through the RTP listener, on a clock of its own."""

    reserved = False

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.rtp
        self._stall = settings.vad.closing(live=True)[0] + settings.rtp.jitter
        self._switchboard = Switchboard(self, Drops())

    def announced(self, address: Address, packet: Packet) -> bool:
        return False

    def admit(self, address: Address, packets: Arrived) -> Stream:
        return Stream(address, packets, self._settings, self._stall, Names())

    def rounds(self, arrivals: list[tuple[float, Packet]]) -> Iterator[list[Piece]]:
        """The call's sound, 60 ms after 60 ms, and what is left when it ends."""
        due = _ROUND
        for time, arrived in arrivals:
            while time >= due:
                yield self._take(due)
                due += _ROUND
            self._switchboard.receive(_GATEWAY, arrived, time)
        yield self._take(due, flush=True)

    def _take(self, now: float, *, flush: bool = False) -> list[Piece]:
        streams = self._switchboard
        return [piece for stream in streams for piece in stream.take(now, flush=flush)]

    @property
    def late(self) -> int:
        """Packets that came too late."""
        return sum(stream.statistics()["late"] for stream in self._switchboard)


async def hear(session: Session, receiver: Receiver, arrivals: list[tuple[float, Packet]]) -> str:
    """What the session understands of a call."""
    for pieces in receiver.rounds(arrivals):
        await play(pieces, session)
    return (await session.finish()).text


@dataclass(frozen=True)
class Heard:
    """The texts of all clips, and packets: `sent`, `lost`, `late`."""

    texts: list[str]
    packets: Counter[str]


async def through(network: Network, calls: list[list[bytes]], service: Service) -> Heard:
    """All calls through a network, one after another."""
    heard = Heard([], Counter())
    for number, frames in enumerate(calls):
        arrivals = Network(network.loss, network.jitter, network.seed + number).carry(frames)
        receiver = Receiver(service.settings)
        async with service.session(SessionRequest("rtp")) as session:
            heard.texts.append(await hear(session, receiver, arrivals))
        lost = len(frames) - len(arrivals)
        heard.packets.update(sent=len(frames), lost=lost, late=receiver.late)
    return heard


async def table(found: list[Clip], settings: Settings, seed: int) -> None:
    """Print a line for each network."""
    print(f"{'loss':>6} {'jitter':>8}  {'WER':>6} {'missed':>6} {'added':>6} {'wrong':>6}", end="")
    print(f"  {'to clean':>8} {'lost':>7} {'late':>7}")
    scheduler = Scheduler(settings.server.threadpool.count)
    service = Service(
        settings,
        load_engines(settings),
        scheduler,
    )
    calls, clean = [clip.mu_law() for clip in found], None
    for jitter in (0.0, _JITTER):
        for loss in _LOSS:
            heard = await through(Network(loss, jitter, seed), calls, service)
            clean = clean or heard.texts
            row(loss, jitter, [clip.text for clip in found], clean, heard)
    await scheduler.close()


def row(loss: float, jitter: float, said: list[str], clean: list[str], heard: Heard) -> None:
    """Print one line."""
    to_said, to_clean = errors(said, heard.texts), errors(clean, heard.texts)
    words = f"{to_said.deletions:6} {to_said.insertions:6} {to_said.substitutions:6}"
    lost, late = (heard.packets[name] / heard.packets["sent"] for name in ("lost", "late"))
    print(
        f"{loss:6.0%} {jitter * 1000:5.0f} ms  {to_said.wer:6.1%} {words}  {to_clean.wer:8.1%}"
        f" {lost:7.2%} {late:7.2%}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Word errors of calls that lose packets.")
    parser.add_argument("folder", type=Path, nargs="?", default=SAMPLES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--set", default="", metavar="HOCON", dest="settings")
    arguments = parser.parse_args()
    entries = ConfigFactory.parse_string(arguments.settings).as_plain_ordered_dict()
    settings = loading.parse(entries, Path())
    found = clips(arguments.folder)
    print(f"{len(found)} clips")
    asyncio.run(table(found, settings, arguments.seed))


if __name__ == "__main__":
    main()
