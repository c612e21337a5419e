"""What a live session costs in memory, and whether anything is left of it.

    python -m benchmarks.sessions [FOLDER] [--open 200] [--sessions 10000] [--json FILE]

First so many sessions are open at once, each in the middle of an utterance after three seconds of
speech: megabytes for each, over those of the idle daemon. Then many sessions come and go, 20 at a
time, and the daemon's memory is printed after each tenth of them. The engine hears nothing and
needs no memory; everything else is as in the daemon, which is a process of its own.
"""

import argparse
import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.daemon import sockets
from benchmarks.ingest import Deaf
from benchmarks.results import add_json, rows
from benchmarks.speech import SAMPLES, clips
from coqui_server.media.samples import SAMPLE_RATE

_AT_ONCE = 20
_SPOKEN = 3 * SAMPLE_RATE
_MB = 1e6


def main() -> None:
    arguments = _arguments()
    sound = clips(arguments.folder)[0].pcm()[:_SPOKEN].tobytes()
    with sockets(Deaf()) as (addresses, process):
        url = addresses["speech"][0]
        asyncio.run(measure(url, process, sound, arguments))


async def measure(
    url: str, process: psutil.Process, sound: bytes, arguments: argparse.Namespace
) -> None:
    """Print both tables."""
    # What the libraries keep after their first use is not the sessions'.
    await many(url, sound, _AT_ONCE)
    idle = process.memory_info().rss
    grown = await together(url, process, sound, arguments.open) - idle
    each = grown / arguments.open / _MB
    print(f"{arguments.open} open sessions: {each:.2f} MB each over {idle / _MB:.0f} MB")
    with rows(arguments.json) as table:
        table.append({"open": arguments.open, "megabytes_each": each})
        for done in range(
            arguments.sessions // 10, arguments.sessions + 1, arguments.sessions // 10
        ):
            await many(url, sound, arguments.sessions // 10)
            megabytes = process.memory_info().rss / _MB
            table.append({"sessions": done, "megabytes": megabytes})
            print(f"after {done:6} sessions: {megabytes:.0f} MB", flush=True)


async def together(url: str, process: psutil.Process, sound: bytes, count: int) -> int:
    """Bytes that the daemon holds while so many sessions are open."""
    async with AsyncExitStack() as stack:
        for _ in range(count):
            while not await _speak(await stack.enter_async_context(_client(url)), sound):
                pass
        await _idle(process)
        return int(process.memory_info().rss)


async def many(url: str, sound: bytes, count: int) -> None:
    """So many sessions from start to end."""
    room = asyncio.Semaphore(_AT_ONCE)

    async def one() -> None:
        async with room:
            while not await _whole_session(url, sound):
                pass

    await asyncio.gather(*(one() for _ in range(count)))


async def _whole_session(url: str, sound: bytes) -> bool:
    """A session from start to end; False if the daemon had too much to do."""
    async with _client(url) as line:
        if spoke := await _speak(line, sound):
            await line.send(json.dumps({"event": "stop"}))
            while json.loads(await line.recv())["event"] != "stopped":
                pass
        return spoke


def _client(url: str) -> connect:
    return connect(f"{url}/ws/v1/speech-to-text", compression=None, ping_timeout=None)


async def _speak(line: ClientConnection, sound: bytes) -> bool:
    """Begin a session and speak; False, after a moment, if it was refused."""
    await line.send(json.dumps({"event": "start"}))
    started = json.loads(await line.recv())["event"] == "started"
    await (line.send(sound) if started else asyncio.sleep(0.5))
    return bool(started)


async def _idle(process: psutil.Process) -> None:
    """Wait until the daemon has nothing to do."""
    while await asyncio.to_thread(process.cpu_percent, 0.5) > 1.0:
        pass


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Memory of live sessions.")
    parser.add_argument("folder", type=Path, nargs="?", default=SAMPLES)
    parser.add_argument("--open", type=int, default=200)
    parser.add_argument("--sessions", type=int, default=10_000)
    add_json(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
