"""Random and broken datagrams against the RTP parser and a running daemon, beside a good call.

    python -m tools.fuzz_rtp [--datagrams 1000000] [--seed 1] [--calls 2]

First the parsers alone: anything they raise but `MalformedPacket` is a failure. Then a daemon, a
process of its own: the same datagrams from four ports, as fast as it takes them, while a sample is
played to it as a call, over and over at real pace. It must log no error, keep its memory, and hear
every word of the call. The exit code is 1 if anything of this fails.

Of the flood, as many sources become calls as `--calls` leaves room for. Their noise comes faster
than anybody speaks and is decoded like speech: with more of them than the decoders can follow, the
good call is not heard in time either, and loses sound ("overrun").
"""

import argparse
import asyncio
import json
import re
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import psutil
from tqdm import tqdm
from websockets.asyncio.client import ClientConnection, connect

from coqui_client.rtp import FRAME_SECONDS, Stream
from coqui_client.sound import frames
from coqui_server.exceptions import MalformedPacket
from coqui_server.rtp import packet, rtcp
from coqui_server.rtp.drops import PERIOD
from tools.daemon import ROOT, Daemon, running
from tools.hostile import datagrams

_CLIP = ROOT / "samples" / "voicemail.wav"
_GOOD = 0x600D
_AT_ONCE = 64
_FULL = 2**20
"""Bytes in the kernel's buffer, a quarter of it, at which the flood waits for the daemon."""

_PATIENCE = 60.0
"""Seconds in which the daemon must read something, and finish the good call."""

_GROWTH = 64 * 2**20
"""Bytes the daemon may grow by after a tenth of the flood."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="fuzz_rtp", description=__doc__.splitlines()[0])
    parser.add_argument("--datagrams", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--calls", type=int, default=2, metavar="N", help="the good one and others")
    wanted = parser.parse_args()
    failures = _parsers(wanted.datagrams, wanted.seed)
    settings = f"rtp.max_calls = {wanted.calls}, partials.pace = 10 minutes"
    with running(settings) as daemon:
        failures += asyncio.run(_Flood(daemon).run(wanted.datagrams, wanted.seed))
        failures += _log(daemon)
        if code := daemon.stop():
            failures.append(f"the daemon ended with {code}")
    for failure in failures:
        print(f"FAILED: {failure}")
    return 1 if failures else 0


def _parsers(count: int, seed: int) -> list[str]:
    failures = Counter[str]()
    results = Counter[str]()
    for datagram in tqdm(islice(datagrams(seed), count), "parsers", count):
        try:
            if packet.is_rtcp(datagram):
                rtcp.parse(datagram)
                results["RTCP"] += 1
            else:
                packet.primary(packet.parse(datagram).payload)
                results["RTP"] += 1
        except MalformedPacket as malformed:
            results[str(malformed)] += 1
        # Whatever else is raised is what this is looking for.
        except Exception as error:
            failures[repr(error)] += 1
    _table("parsers", results)
    return [f"the parsers raised {error}, {times} times" for error, times in failures.items()]


class _Flood:
    """A daemon under fire, and a call that it should not harm."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._process = psutil.Process(daemon.process.pid)
        host, _, port = daemon.rtp.rpartition(":")
        self._address = host, int(port)
        self._over = asyncio.Event()

    async def run(self, count: int, seed: int) -> list[str]:
        """Send so many datagrams; what went wrong."""
        async with connect(f"{self._daemon.url}/ws/events?call=good") as viewer:
            name = {"command": "name_stream", "ssrc": _GOOD, "call": "good"}
            await viewer.send(json.dumps(name))
            await viewer.recv()
            speaking = asyncio.create_task(self._speak())
            # The flood takes all calls there may be.
            await viewer.recv()
            hearing = asyncio.create_task(_hear(viewer))
            before = self._memory()
            began = time.monotonic()
            early = await self._send(count, seed)
            seconds = time.monotonic() - began
            self._over.set()
            times = await speaking
            async with asyncio.timeout(_PATIENCE):
                heard, statistics = await hearing
            # Until then the log has not told of all that was dropped.
            await asyncio.sleep(PERIOD + 1)
            after = self._memory()
        print(f"{count} datagrams in {seconds:.1f} s, {count / seconds:.0f} a second")
        print(f"memory: {before >> 20} MB, {early >> 20} after a tenth, {after >> 20} at the end")
        print(f"lost in the kernel: {_queue(self._address[1])[1]}")
        said = " ".join([_words(_CLIP.with_suffix(".txt").read_text())] * times)
        print(f"the good call, {times} times over, {len(said.split())} words: {statistics}")
        failures = [] if heard == said else [f"the good call was heard as {heard!r}"]
        return failures + (["the memory grew"] if after - early > _GROWTH else [])

    async def _speak(self) -> int:
        """Play the clip over and over until the flood ends; how often."""
        sound = [frame async for frame in frames(_CLIP)]
        stream = Stream("good", ssrc=_GOOD, sequence=65_000, timestamp=2**32 - 8000)
        loop, times = asyncio.get_running_loop(), 0
        with _socket(self._address) as line:
            began = loop.time()
            while not self._over.is_set():
                for frame in sound:
                    due = began + stream.packets * FRAME_SECONDS
                    await asyncio.sleep(max(0.0, due - loop.time()))
                    line.send(stream.packet(frame))
                times += 1
            line.send(stream.goodbye(time.time(), loop.time() - began))
        return times

    async def _send(self, count: int, seed: int) -> int:
        """Send the datagrams; the memory after a tenth of them."""
        lines = [_socket(self._address) for _ in range(4)]
        early = 0
        with tqdm(total=count, desc="daemon") as bar:
            for line, batch in zip(cycle(lines), _batches(count, seed), strict=False):
                for datagram in batch:
                    line.send(datagram)
                bar.update(len(batch))
                await asyncio.sleep(0)
                async with asyncio.timeout(_PATIENCE):
                    # The kernel has no event for it.
                    while _queue(self._address[1])[0] > _FULL:  # noqa: ASYNC110
                        await asyncio.sleep(0.002)
                if not early and bar.n >= count / 10:
                    early = self._memory()
        for line in lines:
            line.close()
        return early

    def _memory(self) -> int:
        return int(self._process.memory_info().rss)


def _batches(count: int, seed: int) -> Iterator[list[bytes]]:
    flood = islice(datagrams(seed), count)
    while batch := list(islice(flood, _AT_ONCE)):
        yield batch


def _socket(address: tuple[str, int]) -> socket.socket:
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.connect(address)
    return line


def _queue(port: int) -> tuple[int, int]:
    """The bytes that wait at a UDP port and the datagrams lost there, where Linux tells."""
    table = Path("/proc/net/udp")
    for line in table.read_text().splitlines()[1:] if table.exists() else ():
        fields = line.split()
        if fields[1].endswith(f":{port:04X}"):
            return int(fields[4].partition(":")[2], 16), int(fields[12])
    return 0, 0


async def _hear(viewer: ClientConnection) -> tuple[str, dict[str, Any]]:
    """The words of the good call, and the statistics of its end."""
    finals: list[str] = []
    statistics: dict[str, Any] = {}
    async for message in viewer:
        event = json.loads(message)
        if event["event"] == "final":
            finals.append(event["text"])
        if event["event"] == "session_end":
            statistics = event["statistics"]
            break
    return _words(" ".join(finals)), statistics


def _words(text: str) -> str:
    return " ".join(re.findall(r"[a-z']+", text.lower()))


def _log(daemon: Daemon) -> list[str]:
    """Show what the daemon's log says it dropped; what should not be in it."""
    dropped = Counter[str]()
    text = daemon.log.read_text()
    for line in text.splitlines():
        if one := re.search(r"dropped a datagram from \S+, (.*)", line):
            dropped[one[1]] += 1
        elif more := re.search(r"dropped (\d+) more datagrams, (.*)", line):
            dropped[more[2]] += int(more[1])
    _table("dropped by the daemon", dropped)
    work = [
        tuple(map(float, found))
        for found in re.findall(r" ([\d.]+) s of sound, \d+ words, ([\d.]+) s of decoding", text)
    ]
    sound, decoding = (sum(column) for column in zip(*work, strict=True)) if work else (0.0, 0.0)
    print(f"sessions: {len(work)}, {sound:.0f} s of sound, {decoding:.0f} s of decoding")
    bad = [line for line in text.splitlines() if re.search(r" ERROR |^Traceback", line)]
    return [f"the log has {line}" for line in bad[:10]]


def _table(title: str, counts: Counter[str]) -> None:
    print(f"{title}:")
    for name, count in counts.most_common():
        print(f"  {count:8}  {name}")


if __name__ == "__main__":
    sys.exit(main())
