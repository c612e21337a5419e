"""The daemon: `python -m coqui_server.app`. Builds the parts, runs them until a signal, drains."""

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from ipaddress import ip_address
from pathlib import Path

from websockets.asyncio.server import Server
from websockets.frames import CloseCode

from coqui_server import __version__, sockets
from coqui_server.auth import access
from coqui_server.banner import engine_list, screen
from coqui_server.config import loading
from coqui_server.config.settings import Settings
from coqui_server.engines import load_engines
from coqui_server.exceptions import ConfigError
from coqui_server.jobs.queue import Queue
from coqui_server.media.transcode import Transcoder
from coqui_server.rtp.calls import Calls
from coqui_server.rtp.listener import Listener
from coqui_server.store import Store, database, opened
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.service import Service
from coqui_server.web.app import build
from coqui_server.web.parts import Parts
from coqui_server.web.server import Console
from coqui_server.web.server import listen as open_console
from coqui_server.webhook import Webhook

_LAST_WORDS = 5.0
"""Seconds for what came of clients that were not done within `server.drain`."""

UNUSABLE = 2
"""Exit code when the configuration cannot be used."""

_TALKATIVE = (
    # Each connection that opens or closes; sessions are logged.
    *("websockets", "uvicorn"),
    # Each request with its whole address, which may hold a password or a token.
    *("httpx", "httpx2"),
    # Each table of each font that goes into a PDF.
    "fontTools",
    # At each start what kind of database it found.
    "alembic",
)
"""Libraries that say at INFO what nobody here wants to know, or what nobody may."""

_log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the daemon; the exit code is 0 after a signal, 2 for a configuration that is wrong."""
    wanted = _arguments(arguments)
    source = str(wanted.config or loading.DEFAULT_FILE)
    try:
        settings, source = loading.load(wanted.config)
        _log_to_stderr(settings.log.level)
        if settings.coqui.model and "coqui" not in (settings.engine, *settings.engines.enabled):
            _log.warning("coqui.model is set, but not used: the engine is %s", settings.engine)
        if wanted.list_engines:
            print(engine_list(settings))
        elif wanted.check_config:
            load_engines(settings)
            Transcoder(settings.ffmpeg.path, settings.ffmpeg.timeout)
            Webhook(settings.rtp.webhook)
            database.address(settings.store)
            access.check(settings)
            print(f"{source}: ok")
        else:
            asyncio.run(run(settings, source))
    except ConfigError as error:
        print(f"{source}: {error}", file=sys.stderr)
        return UNUSABLE
    return 0


def _log_to_stderr(level: str) -> None:
    logging.basicConfig(
        level=level, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    for library in _TALKATIVE:
        logging.getLogger(library).setLevel(max(logging.WARNING, logging.root.level))


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="coqui-server", description="Speech-to-text daemon.")
    parser.add_argument(
        "--config",
        type=Path,
        metavar="PATH",
        help="the configuration (default: application.conf here, if there is one)",
    )
    parser.add_argument("--check-config", action="store_true", help="say if it is good, and exit")
    parser.add_argument(
        "--list-engines",
        action="store_true",
        help="say which can be used and what mends it, and exit",
    )
    parser.add_argument("--version", action="version", version=f"coqui_server {__version__}")
    return parser.parse_args(arguments)


async def run(settings: Settings, source: str) -> None:
    """Serve until SIGINT or SIGTERM, then finish what is in flight and return.

    Raises:
        ConfigError: a model is missing, an address cannot be had, or the store cannot be opened.
    """
    stopped = _signalled()
    async with opened(settings.store) as store:
        await _serve(settings, source, store, stopped)


async def _serve(
    settings: Settings, source: str, store: Store | None, stopped: asyncio.Event
) -> None:
    door = access.opened(settings, store)
    engines = await asyncio.to_thread(load_engines, settings)
    scheduler = Scheduler(settings.server.threadpool.count)
    keeper = store.keeper if store else None
    service = Service(
        settings,
        engines,
        scheduler,
        keeper,
    )
    queue = Queue(service, store, settings.jobs) if store else None
    try:
        await service.rehearse()
        async with Webhook(settings.rtp.webhook) as webhook:
            async with Listener(service, [webhook]) as rtp, queue or nullcontext():
                calls = Calls(rtp)
                routes = sockets.routes(service, calls)
                servers = await sockets.listen(service, routes, door)
                console = None
                if settings.web.enabled:
                    application = build(Parts(service, rtp, calls, store, queue, door))
                    console = await open_console(application, service, routes)
                _warn_if_open(settings)
                if door.users and await door.users.empty():
                    _log.warning("there is no account yet: whoever signs up first is administrator")
                print(screen(service, servers[0], console, routes, rtp, source), flush=True)
                await stopped.wait()
                if queue:
                    await queue.close()
                await _shut_down(service, [*servers, *([console] if console else [])], rtp)
            await webhook.close(settings.server.drain)
    finally:
        await scheduler.close()
        await engines.close()


def _signalled() -> asyncio.Event:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stopped.set)
        except NotImplementedError:
            # Windows' event loop has no signal handlers of its own.
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopped.set))
    return stopped


def _warn_if_open(settings: Settings) -> None:
    """Anybody who reaches an address that is not this machine's alone is let in."""
    hosts = {"server.http.host": settings.server.http.host}
    if settings.web.enabled:
        hosts["web.host"] = settings.web.host
    for key, host in hosts.items():
        if not settings.auth.required and not _of_this_machine_alone(host):
            _log.warning(
                "%s is %s: whoever reaches it is let in, nobody has to sign in (auth.required)",
                *(key, host),
            )


def _of_this_machine_alone(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _shut_down(service: Service, servers: Sequence[Server | Console], rtp: Listener) -> None:
    seconds = service.settings.server.drain
    _log.info("shutting down, waiting up to %g s for open sessions", seconds)
    service.drain()
    for server in servers:
        server.close(close_connections=False)
    if await _ended(service, servers, rtp, seconds):
        return
    # Who would go on is told what came of it until now.
    service.dismiss()
    if not await _ended(service, servers, rtp, _LAST_WORDS):
        open = [connection for server in servers for connection in server.connections]
        await asyncio.gather(*(connection.close(CloseCode.GOING_AWAY) for connection in open))
        await asyncio.gather(*(server.wait_closed() for server in servers))


async def _ended(
    service: Service, servers: Sequence[Server | Console], rtp: Listener, seconds: float
) -> bool:
    """Wait for open sessions and connections; whether they were over in time."""
    try:
        async with asyncio.timeout(seconds):
            await rtp.drain()
            await service.drained()
            # Viewers leave when there is nothing more to see.
            service.hub.close()
            await asyncio.gather(*(server.wait_closed() for server in servers))
    except TimeoutError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
