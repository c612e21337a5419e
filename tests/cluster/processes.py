"""Two daemons as processes of their own behind HAProxy, on a real PostgreSQL and a real Redis."""

import asyncio
import json
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from coqui_server.principal import EVERYBODY
from coqui_server.store import Store, opened
from coqui_server.store.tables import SessionRow
from tests.support.clips import clip
from tests.support.haproxy import in_front_of
from tests.support.stores import settings_of
from tools import daemon, postgresql, redis
from tools.ports import free_port

VOICE = clip("appointment.wav")
LEASE = 3600.0

_CONFIGURATION = """
store {{ url = "{database}", path = "{folder}" }}
cluster {{ redis = "{redis}", replica = {name}, lease = {lease} s }}
web.port = {port}
server {{ proxies = ["127.0.0.1"], drain = 100 ms, threadpool.count = 1 }}
text.word_times = false
vad {{ stall = 1 hour, silence.live = 500 ms }}
"""


@dataclass
class Server:
    """A daemon that can be started again at the same port."""

    name: str
    folder: Path
    configuration: str
    port: int
    environment: dict[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def address(self) -> str:
        """`host:port` of its console, which has the sockets too."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it; returns when it is ready."""
        self.process = daemon.start(self.folder, self.configuration, self.environment).process

    def end(self, number: int) -> int:
        """Send it a signal and wait until it has ended; its exit code."""
        assert self.process
        self.process.send_signal(number)
        return self.process.wait(60)

    async def health(self) -> dict[str, Any]:
        """What it says of itself."""
        async with httpx.AsyncClient() as web:
            found: dict[str, Any] = (await web.get(f"http://{self.address}/health")).json()
        return found


@dataclass
class Processes:
    """The servers, what they share, and the `host:port` of HAProxy before them."""

    servers: Sequence[Server]
    postgresql: postgresql.Server
    redis: redis.Server
    folder: Path
    url: str
    balancer: str = ""

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        """What the servers have kept."""
        async with opened(settings_of(self.folder, self.url), "test", LEASE) as store:
            assert store
            yield store

    def of(self, row: SessionRow) -> Server:
        """The server that has a session."""
        assert row.replica
        name = row.replica.partition("/")[0]
        return next(server for server in self.servers if server.name == name)

    def other(self, server: Server) -> Server:
        """The one that is not this one."""
        return next(one for one in self.servers if one is not server)


async def lease_over(store: Store, run: str) -> None:
    """Let the database's clock pass a lease, in which this run was not heard of."""
    async with store.database.writing() as transaction:
        passed = "UPDATE replicas SET steady = steady - interval '2 hours'"
        await transaction.execute(text(passed))
        silent = text("UPDATE replicas SET seen = seen - interval '2 hours' WHERE id = :run")
        await transaction.execute(silent, {"run": run})


class Speaker:
    """A live client, and all finals that it was told."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.session = ""
        self.finals: list[str] = []
        self.messages: list[dict[str, Any]] = []

    async def begin(self) -> None:
        """Open a session."""
        await self.socket.send(json.dumps({"event": "start"}))
        self.session = (await self.next())["session_id"]

    async def say(self) -> None:
        """Say the sample, and wait until some of it is final."""
        await self.send()
        before = len(self.finals)
        while len(self.finals) == before:
            await self.next()

    async def send(self) -> None:
        """Send the sample, and a second of silence."""
        sound = VOICE.pcm.tobytes() + bytes(32_000)
        for place in range(0, len(sound), 6400):
            await self.socket.send(sound[place : place + 6400])

    async def next(self) -> dict[str, Any]:
        """The next message."""
        message: dict[str, Any] = json.loads(await self.socket.recv())
        self.messages.append(message)
        if message.get("is_final"):
            self.finals.append(message["text"])
        return message

    async def goes_on(self) -> int | None:
        """Send on, as a microphone does, until the connection is closed; the code."""
        sending = asyncio.create_task(self._send_on())
        try:
            return await self.end()
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _send_on(self) -> None:
        await self.send()
        while True:
            await self.socket.send(bytes(640))
            await asyncio.sleep(0.02)

    async def end(self) -> int | None:
        """Read on until the connection is closed; the code."""
        with pytest.raises(ConnectionClosed):
            while True:
                await self.next()
        return self.socket.close_code


@asynccontextmanager
async def speaking(address: str) -> AsyncIterator[Speaker]:
    """A client of the server or the balancer at this address, with a session."""
    url = f"ws://{address}/ws/v1/speech-to-text"
    async with connect(url, compression=None, ping_interval=None) as socket:
        speaker = Speaker(socket)
        await speaker.begin()
        yield speaker


async def kept(store: Store, speaker: Speaker) -> SessionRow:
    """What is kept of a session: every final that its client was told, once and in order."""
    row = await store.sessions.get(EVERYBODY, speaker.session)
    stored = [segment.text for segment in row.segments]
    assert stored[: len(speaker.finals)] == speaker.finals
    # One more may be stored of which the client has not heard.
    assert len(stored) <= len(speaker.finals) + 1
    return row


@contextmanager
def running(folder: Path, postgres: postgresql.Server) -> Iterator[Processes]:
    """Two servers, "a" and "b". The clock of the second is a minute ahead."""
    with ExitStack() as stack:
        shared = stack.enter_context(redis.running())
        url = postgres.create()
        servers = []
        for name, environment in (("a", {}), ("b", ahead())):
            own = folder / name
            own.mkdir()
            port = free_port()
            configuration = _CONFIGURATION.format(
                database=url,
                folder=folder / "data",
                redis=shared.url,
                name=name,
                lease=round(LEASE),
                port=port,
            )
            servers.append(Server(name, own, configuration, port, environment))
        for server in servers:
            stack.callback(_killed, server)
            server.start()
        ports = [server.port for server in servers]
        processes = Processes(servers, postgres, shared, folder / "data", url)
        processes.balancer = stack.enter_context(in_front_of(ports, folder))
        yield processes


def ahead() -> dict[str, str]:
    """The environment of a process whose clock is a minute ahead."""
    libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not libraries:
        pytest.skip("faketime is not installed")
    return {
        "LD_PRELOAD": str(libraries[0]),
        "FAKETIME": "+60s",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }


def _killed(server: Server) -> None:
    if server.process and server.process.poll() is None:
        server.end(signal.SIGKILL)
