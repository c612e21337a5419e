"""The real server on a free port, in the test's own process, with real ffmpeg and engines."""

import json
import re
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from pyhocon import ConfigFactory
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import Server
from websockets.exceptions import ConnectionClosed

from coqui_server import sockets
from coqui_server.auth import access
from coqui_server.config import loading
from coqui_server.config.store import StoreSettings
from coqui_server.engines import Engines
from coqui_server.engines.base import AnyEngine
from coqui_server.jobs.queue import Queue
from coqui_server.media.transcode import find_ffmpeg
from coqui_server.rtp.calls import Calls
from coqui_server.rtp.listener import Listener
from coqui_server.store import Store, opened
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.service import Service
from coqui_server.web.app import build
from coqui_server.web.parts import Parts
from coqui_server.web.server import Console
from coqui_server.web.server import listen as open_console


@dataclass
class Running:
    """A server and how to reach it; `console` is `http://host:port`, if it was asked for."""

    service: Service
    url: str
    rtp: Listener
    server: Server
    console: str = ""
    store: Store | None = None
    queue: Queue | None = None
    ports: list[Server | Console] = field(default_factory=list)

    async def stop(self) -> None:
        """Close its ports and all that is connected to them."""
        for port in self.ports:
            port.close()
            await port.wait_closed()

    def connect(self, query: str = "") -> connect:
        """A client connection to the whole-file protocol."""
        return connect(f"{self.url}/api/v1/stt{query}", compression=None, max_size=None)


Start = Callable[..., AbstractAsyncContextManager[Running]]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Starts a server: `async with start(engine, "HOCON", others=[…]) as server`, with engines that
    are enabled beside the default one; `console=True` opens the console and the store too.
    Temporary files go to an empty folder, `tmp_path / "temporary"`."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    # Partials however busy the machine: without the pause that follows a slow preview.
    monkeypatch.setattr("coqui_server.transcription.decoding._PREVIEW_SHARE", 0)

    @asynccontextmanager
    async def running(
        engine: AnyEngine,
        configuration: str = "",
        others: Sequence[AnyEngine] = (),
        console: bool = False,
    ) -> AsyncIterator[Running]:
        ports = "server.http.port = 0\nrtp.port = 0\nweb.port = 0\n"
        tree = ConfigFactory.parse_string(ports + configuration)
        settings = loading.parse(tree.as_plain_ordered_dict(), tmp_path)
        scheduler = Scheduler(2)
        kept = settings.store if console else StoreSettings(enabled=False)
        async with opened(kept) as store:
            service = Service(
                settings,
                Engines(engine, *others),
                scheduler,
                store.keeper if store else None,
            )
            queue = Queue(service, store, settings.jobs) if store else None
            async with Listener(service) as rtp, queue or nullcontext():
                calls = Calls(rtp)
                routes = sockets.routes(service, calls)
                door = access.opened(settings, store)
                (server,) = await sockets.listen(service, routes, door)
                url = f"ws://127.0.0.1:{_port(server)}"
                here = Running(service, url, rtp, server, store=store, queue=queue, ports=[server])
                try:
                    if console:
                        app = build(Parts(service, rtp, calls, store, queue, door))
                        pages = await open_console(app, service, routes)
                        here.ports.append(pages)
                        here.console = f"http://127.0.0.1:{_port(pages)}"
                    yield here
                finally:
                    await here.stop()
        await scheduler.close()

    return running


def _port(server: Server | Console) -> int:
    port: int = next(iter(server.sockets)).getsockname()[1]
    return port


async def all_closed(server: Running) -> None:
    """Wait until no session is open."""
    await server.service.drained()
    assert server.service.health()["sessions"] == {"file": 0, "live": 0, "rtp": 0}


@pytest.fixture
async def server(start: Start, moonshine: AnyEngine) -> AsyncIterator[Running]:
    """The server as it comes."""
    async with start(moonshine) as running:
        yield running
        await all_closed(running)


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
