"""Random and broken datagrams against a running daemon, beside a good call that must be unharmed.

From four ports, as fast as the daemon takes them, while a sample is played to it as a call, over
and over at real pace. Every word of the call must be transcribed.

Of the flood, some sources count as RTP does and become calls. Their noise comes faster than anybody
speaks and is decoded like speech: with more of them than the decoders can follow, the good call is
not transcribed in time either, and loses sound ("overrun"). So few calls are allowed.
"""

import asyncio
import json
import re
import socket
import time
from collections import Counter
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from tqdm import tqdm
from websockets.asyncio.client import ClientConnection, connect

from coqui_client.rtp import FRAME_SECONDS, Stream
from coqui_client.sound import frames
from coqui_server.rtp.drops import PERIOD
from tools.daemon import ROOT, Daemon
from tools.fuzz.datagrams import datagrams

SETTINGS = "rtp.max_calls = 2, partials.pace = 10 minutes, wyoming.port = 0"
"""Calls for the good one and one of the flood."""

_CLIP = ROOT / "samples" / "voicemail.wav"
_GOOD = 0x600D
_AT_ONCE = 64
_FULL = 2**20
"""Bytes in the kernel's buffer, a quarter of it, at which the flood waits for the daemon."""

_PATIENCE = 60.0
"""Seconds in which the daemon must read something, and finish the good call."""


def flood(daemon: Daemon, count: int, seed: int) -> list[str]:
    """Send so many datagrams to a daemon that runs with `SETTINGS`; what went wrong."""
    failures = asyncio.run(_Flood(daemon).run(count, seed))
    _show_log(daemon)
    return failures


class _Flood:
    """A daemon under fire, and a call that it should not harm."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
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
            await self._send(count, seed)
            self._over.set()
            times = await speaking
            async with asyncio.timeout(_PATIENCE):
                text, statistics = await hearing
            # Until then the log has not told of all that was dropped.
            await asyncio.sleep(PERIOD + 1)
        print(f"lost in the kernel: {_queue(self._address[1])[1]}")
        expected = " ".join([_words(_CLIP.with_suffix(".txt").read_text())] * times)
        print(f"the good call, {times} times over, {len(expected.split())} words: {statistics}")
        return [] if text == expected else [f"the good call was transcribed as {text!r}"]

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

    async def _send(self, count: int, seed: int) -> None:
        lines = [_socket(self._address) for _ in range(4)]
        with tqdm(total=count, desc="flood") as bar:
            for line, batch in zip(cycle(lines), _batches(count, seed), strict=False):
                for datagram in batch:
                    line.send(datagram)
                bar.update(len(batch))
                await asyncio.sleep(0)
                async with asyncio.timeout(_PATIENCE):
                    # The kernel has no event for it.
                    while _queue(self._address[1])[0] > _FULL:  # noqa: ASYNC110
                        await asyncio.sleep(0.002)
        for line in lines:
            line.close()


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


def _show_log(daemon: Daemon) -> None:
    """Show what the daemon's log says it dropped, and how many sessions there were."""
    dropped = Counter[str]()
    text = daemon.log.read_text()
    for line in text.splitlines():
        if one := re.search(r"dropped a datagram from \S+, (.*)", line):
            dropped[one[1]] += 1
        elif more := re.search(r"dropped (\d+) more datagrams, (.*)", line):
            dropped[more[2]] += int(more[1])
    print("dropped by the daemon:")
    for reason, times in dropped.most_common():
        print(f"  {times:8}  {reason}")
    sessions = len(re.findall(r" [\d.]+ s of sound, \d+ words, ", text))
    print(f"sessions: {sessions}")
