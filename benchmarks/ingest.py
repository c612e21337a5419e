"""How many calls the RTP listener takes: PCMU in packets of 20 ms, more calls until some are lost.

    python -m benchmarks.ingest [--calls 50 100 200 …] [--seconds 8] [--tries 2] [--store]
                                [--json FILE]

Everything is as in the daemon but the engine, whose recognizers hear nothing and say so at once,
and which is not asked for partials (their cost is the engine's, and the first to be saved).
The daemon is a process of its own; the calls come from this one at real pace, each from a port of
its own, with the speech and pauses of `samples/`. What is lost is what was sent less what the
sessions' statistics count. The CPU is that of the daemon's process, all its threads, after the
calls have begun; 100 % is one core. "Late" is how far the sender was behind its pace in the worst
twentieth of its turns: with more than 20 ms it is this machine that cannot send, and no figure for
the daemon. A step that loses is tried again, since another process may have had the core.

The yardstick is a bare asyncio loop, `create_datagram_endpoint` and a protocol that only counts, in
the daemon's place: same sender, same buffer of the kernel, same steps. That rather than a sender
that floods it, because a flood's packets a second depend on how the kernel shares the cores between
both processes, and because only calls at their pace compare with the daemon's figure. The ratio of
calls is as coarse as the steps are; that of CPU time per packet, at the most calls both of them
took without loss, is not.
"""

import argparse
import asyncio
import multiprocessing
import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

from benchmarks.callers import PACKETS, Callers, speech
from benchmarks.results import add_json, cpu_seconds, rows
from coqui_server.config.audio import PartialSettings
from coqui_server.config.rtp import RtpSettings
from coqui_server.config.server import HttpSettings, ServerSettings
from coqui_server.config.settings import Settings
from coqui_server.config.store import StoreSettings
from coqui_server.config.web import WebSettings
from coqui_server.daemon import running
from coqui_server.engines import Engines
from coqui_server.engines.base import Capabilities, Hypothesis, Options
from coqui_server.media.samples import Samples

_CALLS = (50, 100, 200, 300, 400, 500, 600, 800, 1000)
_BEGIN = 3.0
"""Seconds in which the calls begin, one after another."""

_LINGER = 0.5
"""Seconds after the last packet before they are counted."""

_TOO_LATE = 1 / PACKETS
_WHOLE_CORE = 0.9
_NEVER = 3600.0

Receiver = Callable[["Connection"], None]
"""Runs in a process of its own. Gives its port, and when it is told to end, what it counted."""


class Deaf:
    """An engine, and its recognizer, that hears nothing."""

    name = model = "none"
    capabilities = Capabilities()

    def open(self, options: Options) -> "Deaf":
        return self

    def feed(self, pcm: Samples) -> None:
        pass

    def partial(self) -> Hypothesis:
        return Hypothesis("")

    finish = partial


def daemon(pipe: "Connection") -> None:
    """The daemon's way of calls, from the socket to the transcript."""
    asyncio.run(_daemon(pipe, StoreSettings(enabled=False)))


def keeping_daemon(pipe: "Connection") -> None:
    """The same with a store, which keeps the text and the sound of every call."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_daemon(pipe, StoreSettings(path=Path(folder))))


async def _daemon(pipe: "Connection", store: StoreSettings) -> None:
    room = 10_000
    settings = Settings(
        rtp=RtpSettings(port=0, max_calls=room),
        server=ServerSettings(http=HttpSettings(port=0), max_sessions=room),
        partials=PartialSettings(pace=_NEVER),
        store=store,
        web=WebSettings(enabled=False),
    )
    async with running(settings, Engines(Deaf())) as daemon:
        assert daemon.rtp.shared is not None
        pipe.send(daemon.rtp.shared.number)
        await asyncio.to_thread(pipe.recv)
        # Packets that are not read by now count as lost.
        await daemon.rtp.drain()
        pipe.send(daemon.service.statistics.packets["packets"])


def bare(pipe: "Connection") -> None:
    """The loop that only counts."""
    asyncio.run(_bare(pipe))


class _Counter(asyncio.DatagramProtocol):
    packets = 0

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.packets += 1


async def _bare(pipe: "Connection") -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 2**20)
        bound.bind(("127.0.0.1", 0))
        bound.setblocking(False)
        loop = asyncio.get_running_loop()
        _, counter = await loop.create_datagram_endpoint(_Counter, sock=bound)
        pipe.send(bound.getsockname()[1])
        await asyncio.to_thread(pipe.recv)
        pipe.send(counter.packets)


@dataclass(frozen=True)
class Step:
    """So many calls. `rate` is packets a second, `cpu` a share of one core, `late` seconds."""

    calls: int
    sent: int
    counted: int
    rate: float
    cpu: float
    late: float

    @property
    def loss(self) -> float:
        """The share of the packets that was not counted."""
        return 1 - self.counted / self.sent

    @property
    def paced(self) -> bool:
        """Whether the sender kept its pace."""
        return self.late <= _TOO_LATE

    @property
    def cost(self) -> float:
        """Microseconds of CPU for a packet that was not lost."""
        return self.cpu / (self.rate * (1 - self.loss)) * 1e6

    @property
    def remark(self) -> str:
        """What there is to say against the figures."""
        if not self.paced:
            return "  the sender could not keep its pace"
        return "  other processes had the core" if self.loss and self.cpu < _WHOLE_CORE else ""

    def show(self) -> None:
        """Print a line of the table."""
        print(
            f"{self.calls:6} {self.rate:10.0f} {self.loss:9.3%} {self.cpu:8.0%} {self.cost:12.1f}"
            f" {self.late * 1000:9.1f}{self.remark}",
            flush=True,
        )


@contextmanager
def started(receiver: Receiver) -> Iterator[tuple[int, "Connection"]]:
    """A receiver in a process of its own: its process id, and the pipe to it."""
    context = multiprocessing.get_context("spawn")
    ours, its = context.Pipe()
    process = context.Process(target=receiver, args=(its,), daemon=True)
    process.start()
    # With our copy of its end open, we would wait for ever if it died.
    its.close()
    assert process.pid is not None
    try:
        yield process.pid, ours
        process.join()
    finally:
        process.kill()


def step(receiver: Receiver, calls: int, seconds: float, frames: Sequence[bytes]) -> Step:
    """Send so many calls to a new receiver, first as they begin, then for so many seconds."""
    with started(receiver) as (pid, pipe), Callers(calls, pipe.recv(), frames) as callers:
        process = psutil.Process(pid)
        callers.begin(_BEGIN)
        before, sent = cpu_seconds(process), callers.sent
        late = callers.run(seconds)
        busy, rate = cpu_seconds(process) - before, (callers.sent - sent) / seconds
        asyncio.run(asyncio.sleep(_LINGER))
        pipe.send("end")
        return Step(calls, callers.sent, pipe.recv(), rate, busy / seconds, late)


def climb(receiver: Receiver, arguments: argparse.Namespace, frames: Sequence[bytes]) -> list[Step]:
    """More and more calls, up to those that lose packets or cannot be sent; the good steps."""
    print(
        f"{'calls':>6} {'packets/s':>10} {'loss':>9} {'CPU':>8} {'us a packet':>12} {'late ms':>9}"
    )
    good: list[Step] = []
    for calls in arguments.calls:
        for _ in range(arguments.tries):
            taken = step(receiver, calls, arguments.seconds, frames)
            taken.show()
            if taken.paced and not taken.loss:
                good.append(taken)
                break
        else:
            break
    return good


def main() -> None:
    parser = argparse.ArgumentParser(description="How many calls the RTP listener takes.")
    parser.add_argument("--calls", type=int, nargs="+", default=_CALLS, help="the steps")
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--tries", type=int, default=2, help="of a step that loses")
    parser.add_argument("--store", action="store_true", help="keep the calls, as by default")
    add_json(parser)
    arguments = parser.parse_args()
    frames = speech()
    print("\nthe daemon, its engine switched off")
    ours = climb(keeping_daemon if arguments.store else daemon, arguments, frames)
    print("\na bare asyncio loop that only counts")
    yardstick = climb(bare, arguments, frames)
    with rows(arguments.json) as table:
        for name, steps in (("daemon", ours), ("bare loop", yardstick)):
            table += [{"receiver": name, **asdict(step), "cost": step.cost} for step in steps]
    if ours and yardstick:
        compare(ours, yardstick)


def compare(ours: Sequence[Step], yardstick: Sequence[Step]) -> None:
    """Print the most calls without loss, the CPU for a packet, and the ratios to the bare loop."""
    most, bare_most = ours[-1].calls, yardstick[-1].calls
    print(f"\ncalls without loss: {most}, bare loop {bare_most}, ratio {most / bare_most:.2f}")
    one, other = list(zip(ours, yardstick, strict=False))[-1]
    print(
        f"CPU for a packet at {one.calls} calls: {one.cost:.1f} us, bare loop {other.cost:.1f} us,"
        f" ratio {one.cost / other.cost:.2f}"
    )


if __name__ == "__main__":
    main()
