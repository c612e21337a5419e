"""What the protocols of other services cost, beside our own: processor time for the same sound.

    python -m benchmarks.adapters [FOLDER] [--streams 20] [--seconds 15] [--rounds 5] [--json FILE]

So many clients at once speak one protocol at the pace of speech, in messages of 0.1 s, then the
next, and so on, in several rounds. The figure is the processor time of the daemon, a process of its
own, for a second of sound: the median of the rounds. The engine says the same words at once, so
that what remains is the protocol and what all of them share. Each is compared with the native
protocol in the same form and rate of the sound, and a recording in base64 with the same recording
as one binary message. On a machine that does other things too, rounds differ by a tenth.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil
import soxr

from benchmarks.daemon import sockets
from benchmarks.dialects import ADAPTERS, BASE64, FILE, Adapter, File
from benchmarks.lines import Line, websocket
from benchmarks.results import add_json, cpu_seconds, rows
from benchmarks.speech import SAMPLES, clips, write_wav
from coqui_server.engines.base import Capabilities, Hypothesis, Options
from coqui_server.media.samples import SAMPLE_RATE, Samples

Addresses = Mapping[str, Any]

_PIECE = 0.1
"""Seconds of sound in a message."""

_TARGET = 1.05
"""No adapter may cost more than so many times the native protocol."""


class Constant:
    """An engine, and its recognizer, that hears the same words in any sound."""

    name = model = "none"
    capabilities = Capabilities()

    def open(self, options: Options) -> "Constant":
        return self

    def feed(self, pcm: Samples) -> None:
        pass

    def partial(self) -> Hypothesis:
        return Hypothesis("please call me back")

    finish = partial


def main() -> None:
    arguments = _arguments()
    with sockets(Constant()) as (addresses, process):
        asyncio.run(measure(addresses, process, arguments))


async def measure(
    addresses: Addresses, process: psutil.Process, arguments: argparse.Namespace
) -> None:
    """Print the table."""
    sound = _sound(arguments)
    files = (FILE, BASE64)
    costs: dict[str, list[float]] = {one.name: [] for one in (*ADAPTERS, *files)}
    for number in range(arguments.rounds + 1):
        for adapter in ADAPTERS:
            streams = [_speak(addresses, adapter, sound, at) for at in _starts(arguments.streams)]
            await _add(costs[adapter.name], process, streams, arguments.seconds, number)
        for file in files:
            sent = [_send(addresses, file, sound, arguments.streams)]
            seconds = arguments.seconds * arguments.streams
            await _add(costs[file.name], process, sent, seconds, number)
    with rows(arguments.json) as table:
        print(f"{'protocol':24} {'ms a second':>12} {'to native':>10}")
        for one in (*ADAPTERS, *files):
            cost, native = median(costs[one.name]), median(costs[one.beside])
            remark = "" if cost <= native * _TARGET else "  more than 5 %"
            print(f"{one.name:24} {cost * 1000:12.2f} {cost / native:10.3f}{remark}", flush=True)
            table.append({"protocol": one.name, "beside": one.beside, "rounds": costs[one.name]})


async def _add(
    costs: list[float],
    process: psutil.Process,
    clients: Sequence[Coroutine[Any, Any, None]],
    seconds: float,
    number: int,
) -> None:
    """Add the processor time of the daemon for a second of sound, but for the first round, in which
    libraries do what they do once."""
    before = cpu_seconds(process)
    await asyncio.gather(*clients)
    if number:
        costs.append((cpu_seconds(process) - before) / (len(clients) * seconds))


def _starts(streams: int) -> list[float]:
    """Seconds at which the clients begin: not all at the same moment."""
    return [number * _PIECE / streams for number in range(streams)]


async def _speak(addresses: Addresses, adapter: Adapter, sound: Samples, at: float) -> None:
    """One client, from its start to the last text."""
    await asyncio.sleep(at)
    data = _at(sound, adapter.rate)
    size = round(adapter.rate * _PIECE) * 2
    pieces = [adapter.message(data[place : place + size]) for place in range(0, len(data), size)]
    async with adapter.line(addresses, adapter.path) as line:
        reading = asyncio.create_task(_read(line, adapter))
        for message in adapter.first:
            await line.send(json.dumps(message))
        start = time.perf_counter()
        for number, piece in enumerate(pieces, 1):
            await asyncio.sleep(max(0.0, start + number * _PIECE - time.perf_counter()))
            await line.send(piece)
        for message in adapter.last:
            await line.send(json.dumps(message))
        await reading


async def _read(line: Line, adapter: Adapter) -> None:
    with suppress(EOFError):
        while not adapter.over(await line.next()):
            pass


async def _send(addresses: Addresses, file: File, sound: Samples, count: int) -> None:
    """Send the same recording so many times."""
    with tempfile.TemporaryDirectory() as folder:
        message = file.message(write_wav(Path(folder) / "a.wav", sound).read_bytes())
    for _ in range(count):
        async with websocket(addresses, file.path) as line:
            await line.send(message)
            while "text" not in await line.next():
                pass


def _sound(arguments: argparse.Namespace) -> Samples:
    """Clips one after another, cut to the length that is wanted."""
    length = round(arguments.seconds * SAMPLE_RATE)
    whole = np.concatenate([clip.pcm() for clip in clips(arguments.folder)])
    return np.resize(whole, length)


@cache
def _resampled(sound: bytes, rate: int) -> bytes:
    samples = soxr.resample(np.frombuffer(sound, np.int16).astype(np.float32), SAMPLE_RATE, rate)
    return bytes(np.rint(samples).clip(-32768, 32767).astype("<i2").tobytes())


def _at(sound: Samples, rate: int) -> bytes:
    return sound.tobytes() if rate == SAMPLE_RATE else _resampled(sound.tobytes(), rate)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The cost of protocols beside our own.")
    parser.add_argument("folder", type=Path, nargs="?", default=SAMPLES)
    parser.add_argument("--streams", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--rounds", type=int, default=5)
    add_json(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
