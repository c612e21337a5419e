"""Our server beside vosk-server, by the same client of its protocol.

    python -m benchmarks.peers FOLDER --model MODEL [--server "python asr_server.py"]
                               [--language ko] [--streams 2,4,6,8,12,16] [--seconds 60]
                               [--no-pauses] [--json FILE]

`asr_server.py` is vosk-server's own, which is not part of this project, and needs a Python with
vosk and websockets 10. Without it only our server is measured. Both use the same model. Each
stream is clips with pauses as long as they are, in messages of 0.1 s at real pace. A row is a
number of streams:

refused  streams that were not let in.
final    from the end of the last sound of a clip to the next final with text, p50 and p95 in
         milliseconds; `unheard` counts clips after which none came until the next one had ended.
cpu      seconds of processor for a second of sound, of the server's process.

The steps go on until p95 is over a second, or streams are refused. The last line has the most
streams that had their finals in time, and the ratio.
"""

import argparse
import asyncio
import json
import os
import shlex
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import psutil
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benchmarks.live import counts, sounding
from benchmarks.results import Rows, add_json, cpu_seconds, rows
from benchmarks.speech import Clip, clips
from coqui_server.media.samples import SAMPLE_RATE, Samples
from tools.daemon import running
from tools.ports import free_port, wait_until_open

_CHUNK = SAMPLE_RATE // 10
_STAGGER = 0.37
_IN_TIME = 1.0
"""Seconds within which 95 of 100 finals have to come."""


@dataclass(frozen=True)
class Server:
    """A server that runs: its address, and its process."""

    url: str
    process: psutil.Process


@dataclass
class Stream:
    """One client's sound and what it was told.

    Attributes:
        ends: seconds at which the last sound of each clip ends.
        finals: seconds at which finals with text came.
    """

    sound: Samples
    ends: list[float]
    finals: list[float] = field(default_factory=list)
    refused: bool = False

    def delays(self) -> list[float | None]:
        """From the end of each clip to its final; None if there was none until the next end."""
        following = [*self.ends[1:], float("inf")]
        return [
            next((at - end for at in self.finals if end <= at < next_end), None)
            for end, next_end in zip(self.ends, following, strict=True)
        ]


def stream_of(found: Sequence[Clip], first: int, seconds: float, pauses: bool) -> Stream:
    """Clips from the one with index `first` on, each with a pause as long after it."""
    parts: list[Samples] = []
    ends: list[float] = []
    length = 0
    while length < seconds * SAMPLE_RATE:
        pcm = found[(first + len(ends)) % len(found)].pcm()
        ends.append(length / SAMPLE_RATE + float(sounding(pcm)[-1]))
        parts += [pcm, np.zeros(len(pcm) if pauses else 0, np.int16)]
        length += len(parts[-2]) + len(parts[-1])
    # Without a pause, finals come where the server cuts; only the last clip has an end.
    return Stream(np.concatenate(parts), ends if pauses else ends[-1:])


async def speak(url: str, stream: Stream, at: float) -> None:
    """Send a stream at real pace, and note when finals come."""
    await asyncio.sleep(at)
    try:
        async with connect(url, compression=None, ping_timeout=None) as line:
            await line.send(json.dumps({"config": {"sample_rate": SAMPLE_RATE}}))
            start = time.perf_counter()
            listening = asyncio.create_task(_listen(line, start, stream))
            for place in range(0, len(stream.sound), _CHUNK):
                due = start + (place + _CHUNK) / SAMPLE_RATE
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                await line.send(stream.sound[place : place + _CHUNK].tobytes())
            await line.send('{"eof" : 1}')
            await listening
    except ConnectionClosed:
        stream.refused = True


async def _listen(line: ClientConnection, start: float, stream: Stream) -> None:
    try:
        while True:
            message = json.loads(await line.recv())
            if message.get("text"):
                stream.finals.append(time.perf_counter() - start)
    except ConnectionClosed as closed:
        stream.refused = closed.rcvd is not None and closed.rcvd.code == 1013


async def together(url: str, streams: Sequence[Stream]) -> None:
    """All streams, one after another begun."""
    await asyncio.gather(*(speak(url, one, n * _STAGGER) for n, one in enumerate(streams)))


def step(name: str, server: Server, streams: Sequence[Stream], found: Rows) -> bool:
    """Measure so many streams, print a row; whether all had their finals in time."""
    before = cpu_seconds(server.process)
    asyncio.run(together(server.url, streams))
    heard = [stream for stream in streams if not stream.refused]
    seconds = sum(len(stream.sound) for stream in heard) / SAMPLE_RATE
    delays = [delay for stream in heard for delay in stream.delays()]
    known = [delay for delay in delays if delay is not None] or [float("nan")]
    p50, p95 = (float(value) for value in np.percentile(known, (50, 95)))
    row = {
        "server": name,
        "streams": len(streams),
        "refused": len(streams) - len(heard),
        "unheard": delays.count(None),
        "final_p50": p50,
        "final_p95": p95,
        "cpu": (cpu_seconds(server.process) - before) / max(seconds, 1.0),
    }
    found.append(row)
    print(
        f"{name:14} {row['streams']:7} {row['refused']:8} {row['unheard']:8}"
        f" {p50 * 1000:10.0f} {p95 * 1000:6.0f} {row['cpu']:8.3f}",
        flush=True,
    )
    return len(heard) == len(streams) and p95 <= _IN_TIME


@contextmanager
def vosk_server(command: str, model: Path) -> Iterator[Server]:
    """vosk-server's own program, on a port that was free a moment ago."""
    port = free_port()
    addresses = {"VOSK_SERVER_INTERFACE": "127.0.0.1", "VOSK_SERVER_PORT": str(port)}
    process = subprocess.Popen(
        [*shlex.split(command), str(model)],
        env={**os.environ, **addresses},
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_open(port, process)
        yield Server(f"ws://127.0.0.1:{port}", psutil.Process(process.pid))
    finally:
        process.kill()
        process.wait()


@contextmanager
def our_server(model: Path) -> Iterator[Server]:
    """Ours, with Vosk."""
    with running(f'engine = vosk\nvosk.model = "{model}"') as daemon:
        yield Server(f"{daemon.url}/", psutil.Process(daemon.process.pid))


def main() -> None:
    arguments = _arguments()
    found = clips(arguments.folder, arguments.language)
    servers = {"coqui_server": partial(our_server, arguments.model)}
    if arguments.server:
        servers["vosk-server"] = partial(vosk_server, arguments.server, arguments.model)
    most = dict.fromkeys(servers, 0)
    print(f"{'':14} streams  refused  unheard  final p50    p95      cpu")
    with rows(arguments.json) as table:
        for name, server in servers.items():
            for count in arguments.streams:
                streams = [
                    stream_of(found, 3 * n, arguments.seconds, arguments.pauses)
                    for n in range(count)
                ]
                with server() as running_server:
                    if not step(name, running_server, streams, table):
                        break
                most[name] = count
    print("streams in time: " + ", ".join(f"{name} {count}" for name, count in most.items()))
    if most.get("vosk-server"):
        print(f"ratio {most['coqui_server'] / most['vosk-server']:.2f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Our server beside vosk-server.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path, required=True, help="the Vosk model's folder")
    parser.add_argument("--server", metavar="COMMAND", help="that starts asr_server.py")
    parser.add_argument("--language", default="en", help="which clips of the folder")
    parser.add_argument("--streams", type=counts, default=[2, 4, 6, 8, 12, 16, 20, 24])
    parser.add_argument("--seconds", type=float, default=60, help="of each stream")
    parser.add_argument("--no-pauses", dest="pauses", action="store_false")
    add_json(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
