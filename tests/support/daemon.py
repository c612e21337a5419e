"""The real daemon on free ports in the test's own process, and a client of the file protocol."""

import json
import re
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from pyhocon import ConfigFactory
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from coqui_server import daemon
from coqui_server.config import loading
from coqui_server.engines import Engines
from coqui_server.engines.base import AnyEngine
from coqui_server.jobs.queue import Queue
from coqui_server.media.ffmpeg import find_ffmpeg
from coqui_server.rtp.listener import Listener
from coqui_server.sockets.ports import address_of
from coqui_server.store import Store
from coqui_server.transcription.service import Service


@dataclass(frozen=True)
class Running:
    """A daemon and how to reach it: `url` is `ws://host:port`, `console` `http://host:port`."""

    daemon: daemon.Daemon
    url: str
    console: str

    @property
    def service(self) -> Service:
        return self.daemon.service

    @property
    def rtp(self) -> Listener:
        return self.daemon.rtp

    @property
    def store(self) -> Store | None:
        return self.daemon.store

    @property
    def queue(self) -> Queue | None:
        return self.daemon.queue

    def http(self, **options: Any) -> httpx.AsyncClient:
        """A client of the console. Nothing here is encrypted, and loading the authorities takes
        25 ms."""
        return httpx.AsyncClient(base_url=self.console, verify=False, **options)

    def connect(self, query: str = "") -> connect:
        """A client connection to the whole-file protocol."""
        return connect(f"{self.url}/api/v1/stt{query}", compression=None, max_size=None)


Start = Callable[..., AbstractAsyncContextManager[Running]]

_FREE_PORTS = """
server { http.port = 0, threadpool.count = 2 }
rtp.port = 0
web.port = 0
vad.stall = 1 hour  # a busy machine sends no silence
vad.silence.live = 500 ms  # a busy machine knows the words late, and cuts elsewhere
"""
_ONLY_SPEECH = "web.enabled = false, store.enabled = false"


@cache
def _tree(text: str) -> dict[str, Any]:
    """Parsed once for all tests with the same configuration, as that takes 20 ms."""
    tree: dict[str, Any] = ConfigFactory.parse_string(text).as_plain_ordered_dict()
    return tree


def starter(folder: Path) -> Start:
    """Starts a daemon: `async with start(engine, "HOCON", others=[...]) as server`.

    Args of what it gives:
        others: engines that are enabled beside the default one.
        console: open the console and the store too.
    """

    @asynccontextmanager
    async def start(
        engine: AnyEngine,
        configuration: str = "",
        others: Sequence[AnyEngine] = (),
        console: bool = False,
    ) -> AsyncIterator[Running]:
        text = "\n".join([_FREE_PORTS, "" if console else _ONLY_SPEECH, configuration])
        settings = loading.parse(_tree(text), folder)
        async with daemon.running(settings, Engines(engine, *others)) as parts:
            pages = f"http://{address_of(parts.console)}" if parts.console else ""
            yield Running(parts, f"ws://{address_of(parts.servers[0])}", pages)

    return start


async def all_closed(server: Running) -> None:
    """Wait until no session is open."""
    await server.service.drained()
    assert server.service.health()["sessions"] == {"file": 0, "live": 0, "rtp": 0}


@dataclass(frozen=True)
class Answer:
    """What a client got: the one reply, and the close code."""

    reply: dict[str, Any]
    code: int | None

    @property
    def text(self) -> str:
        return str(self.reply["text"])

    @property
    def error(self) -> tuple[str, int | None]:
        """The reply's code and the close code, for a refusal in the protocol's form."""
        assert set(self.reply) == {"message", "code"}
        assert self.reply["message"]
        return self.reply["code"], self.code


async def answer_to(socket: ClientConnection) -> Answer:
    """Read the one reply and the close after it."""
    reply = json.loads(await socket.recv())
    with pytest.raises(ConnectionClosed):
        await socket.recv()
    return Answer(reply, socket.close_code)


async def send(server: Running, message: bytes | str, query: str = "") -> Answer:
    """Send one message, in one frame, as the older server's clients do."""
    async with server.connect(query) as socket:
        await socket.send(message)
        return await answer_to(socket)


def made(*arguments: str, source: Path, suffix: str, folder: Path) -> bytes:
    """A file that ffmpeg made of `source`."""
    path = folder / f"made{suffix}"
    command = [find_ffmpeg(), "-v", "error", "-y", "-i", str(source)]
    subprocess.run([*command, *arguments, str(path)], check=True)
    return path.read_bytes()


def children() -> list[str]:
    """Child processes of this one that still run."""
    return [
        child.name()
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE and re.search("ffmpeg", child.name())
    ]
