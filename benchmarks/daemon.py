"""A daemon in a process of its own, which serves the sockets and nothing else."""

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any

import psutil

from coqui_server.config.rtp import RtpSettings
from coqui_server.config.server import HttpSettings, ServerSettings
from coqui_server.config.settings import Settings
from coqui_server.config.store import StoreSettings
from coqui_server.config.text import TextSettings
from coqui_server.config.web import WebSettings
from coqui_server.config.wyoming import WyomingSettings
from coqui_server.daemon import running
from coqui_server.engines import Engines
from coqui_server.engines.base import Engine
from coqui_server.ready import addresses


@contextmanager
def sockets(engine: Engine) -> Iterator[tuple[dict[str, Any], psutil.Process]]:
    """The daemon's addresses (`ready.addresses`) and its process, until the block ends."""
    ours, its = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_run, args=(its, engine))
    process.start()
    # With our copy of its end open, we would wait for ever if it died.
    its.close()
    try:
        yield ours.recv(), psutil.Process(process.pid)
    finally:
        ours.close()
        process.join()


def _run(pipe: "Connection", engine: Engine) -> None:
    asyncio.run(_serve(pipe, engine))


async def _serve(pipe: "Connection", engine: Engine) -> None:
    settings = Settings(
        rtp=RtpSettings(port=0),
        server=ServerSettings(http=HttpSettings(port=0), max_sessions=10_000),
        store=StoreSettings(enabled=False),
        web=WebSettings(enabled=False),
        wyoming=WyomingSettings(port=0),
        # As the protocols have it that know no other.
        text=TextSettings(format="verbatim"),
    )
    async with running(settings, Engines(engine)) as daemon:
        pipe.send(addresses(daemon))
        await asyncio.to_thread(_ended, pipe)


def _ended(pipe: "Connection") -> None:
    """Wait until the other side closes the pipe."""
    with suppress(EOFError):
        pipe.recv()
