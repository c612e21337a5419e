"""Clients that go on whatever happens, and note what they were told."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from benchmarks.soak.ledger import Ledger
from tools.daemon import Daemon

_PAUSE = 0.2
"""Seconds before a client that was refused comes again."""

_CHUNK = 32_000
"""Bytes: a second of sound."""


class Clients:
    """Speakers and a sender of files, on the daemon that is there now.

    Args:
        sound: 16 kHz samples that the speakers send.
        file: what is handed in.

    Attributes:
        daemon: None while it is down.
    """

    def __init__(self, ledger: Ledger, sound: bytes, file: Path) -> None:
        self.daemon: Daemon | None = None
        self._ledger = ledger
        self._sound = sound
        self._file = file.read_bytes()
        self._names: Iterator[int] = count(1)
        self._over = False
        self._ended = asyncio.Semaphore(0)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, speakers: int) -> None:
        """Let them come."""
        coming = [*(self._speak for _ in range(speakers)), self._hand_in, self._break_off]
        self._tasks = [asyncio.create_task(self._keep_on(one)) for one in coming]

    async def stop(self) -> None:
        """Let each finish what it does, and send them away."""
        self._over = True
        await asyncio.gather(*self._tasks)

    async def until_ended(self, number: int) -> None:
        """Wait until so many more sessions and files have come to an end, good or bad."""
        while not self._ended.locked():
            await self._ended.acquire()
        for _ in range(number):
            await self._ended.acquire()

    async def _keep_on(self, come: Callable[[Daemon], Awaitable[None]]) -> None:
        while not self._over:
            if self.daemon is None:
                await asyncio.sleep(_PAUSE)
                continue
            try:
                await come(self.daemon)
            except (OSError, ConnectionClosed, InvalidHandshake, httpx.HTTPError) as fault:
                self._ledger.refused(type(fault).__name__)
                await asyncio.sleep(_PAUSE)
            self._ended.release()

    async def _speak(self, daemon: Daemon) -> None:
        """One session, from start to stop."""
        async with connect(f"{daemon.url}/ws/v1/speech-to-text", max_size=None) as socket:
            await socket.send(json.dumps({"event": "start", "interim": False}))
            sending = asyncio.create_task(self._send(socket))
            try:
                await self._listen(socket)
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)

    async def _send(self, socket: ClientConnection) -> None:
        for start in range(0, len(self._sound), _CHUNK):
            await socket.send(self._sound[start : start + _CHUNK])
            await asyncio.sleep(_PAUSE)
        await socket.send(json.dumps({"event": "stop"}))

    async def _listen(self, socket: ClientConnection) -> None:
        session = ""
        while True:
            message = json.loads(await socket.recv())
            match message["event"]:
                case "started":
                    session = message["session_id"]
                case "transcript" if message["is_final"]:
                    self._ledger.final(session, message)
                case "error":
                    self._ledger.refused(message["code"])
                case "stopped":
                    return

    async def _hand_in(self, daemon: Daemon) -> None:
        """One file for the queue. What was sent and not answered may be in it or not."""
        name = f"soak-{next(self._names)}.wav"
        async with httpx.AsyncClient(base_url=daemon.console, timeout=60) as client:
            answer = await client.post("/api/files", files={"files": (name, self._file)})
        if answer.is_success:
            self._ledger.file(name)
        else:
            self._ledger.refused(answer.json()["code"])
        await asyncio.sleep(5 * _PAUSE)

    async def _break_off(self, daemon: Daemon) -> None:
        """A client that leaves without a word while its sound waits."""
        async with connect(f"{daemon.url}/ws/v1/speech-to-text") as socket:
            await socket.send(json.dumps({"event": "start"}))
            await socket.send(self._sound)
            socket.transport.abort()
        await asyncio.sleep(_PAUSE)
