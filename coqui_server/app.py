"""The command `python -m coqui_server.app`, or `coqui-server`: arguments, log, signals."""

import argparse
import asyncio
import json
import logging
import signal
import sys
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

from coqui_server import __version__, cluster, logs
from coqui_server.auth import access
from coqui_server.banner import engine_list, screen
from coqui_server.config import loading, reference
from coqui_server.config.settings import Settings
from coqui_server.daemon import running
from coqui_server.engines import load_engines
from coqui_server.exceptions import ConfigError, StoreError
from coqui_server.jobs import opening as jobs
from coqui_server.media.ffmpeg import find_ffmpeg
from coqui_server.ready import addresses, announced
from coqui_server.sockets import announcement
from coqui_server.store import database
from coqui_server.webhook import Webhook

UNUSABLE = 2
"""Exit code when the configuration cannot be used."""

_log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the daemon, or a worker; the exit code is 0 after a signal, 2 for a configuration that is
    wrong."""
    options = _arguments(arguments)
    source = str(options.config or loading.DEFAULT_FILE)
    try:
        if options.init_config:
            path = options.config or loading.DEFAULT_FILE
            _write_configuration(path)
            print(f"wrote {path}")
            return 0
        settings, source = loading.load(options.config)
        logs.to_stderr(settings.log.level, settings.log.format)
        if settings.coqui.model and "coqui" not in (settings.engine, *settings.engines.enabled):
            _log.warning("coqui.model is set, but not used: the engine is %s", settings.engine)
        if options.list_engines:
            print(engine_list(settings))
        elif options.check_config:
            load_engines(settings)
            find_ffmpeg(settings.ffmpeg.path)
            Webhook(settings.rtp.webhook)
            cluster.check(settings.cluster)
            shared = settings.store.enabled and settings.cluster.url is not None
            database.address(settings.store, shared=shared)
            access.check(settings)
            announcement.check(settings.wyoming)
            jobs.check(settings)
            print(f"{source}: ok")
        elif options.program == "worker":
            return jobs.work(settings)
        else:
            asyncio.run(run(settings, source, options.ready_file))
    except ConfigError as error:
        print(f"{source}: {error}", file=sys.stderr)
        return UNUSABLE
    except StoreError as fault:
        print(f"{source}: {fault}", file=sys.stderr)
        return 1
    return 0


def _write_configuration(path: Path) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(reference.file())
    except OSError as error:
        raise ConfigError("", f"cannot be written: {error.strerror}") from error


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="coqui-server", description="Speech-to-text daemon.")
    parser.add_argument(
        "program",
        nargs="?",
        choices=("server", "worker"),
        default="server",
        help="server: what serves (the default). worker: does the jobs of servers, on Celery",
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="PATH",
        help="the configuration (default: application.conf here, if there is one)",
    )
    parser.add_argument(
        "--init-config",
        action="store_true",
        help="write a configuration with every setting and its default, and exit",
    )
    parser.add_argument(
        "--check-config", action="store_true", help="check the configuration, and exit"
    )
    parser.add_argument(
        "--ready-file",
        type=Path,
        metavar="PATH",
        help="write the addresses as JSON to PATH when all ports are open; removed at the end",
    )
    parser.add_argument(
        "--list-engines",
        action="store_true",
        help="list the engines, and how to install what is missing, and exit",
    )
    parser.add_argument("--version", action="version", version=f"coqui_server {__version__}")
    return parser.parse_args(arguments)


async def run(settings: Settings, source: str, ready_file: Path | None = None) -> None:
    """Serve until SIGINT or SIGTERM, then finish what is in flight and return.

    Args:
        source: where the settings came from, for the start-up screen.
        ready_file: written when all ports are open, removed at the end (`ready.announced`).

    Raises:
        ConfigError: a model is missing, an address cannot be had, or the store cannot be opened.
    """
    stopped = _signalled()
    async with running(settings) as daemon:
        _warn_if_open(settings)
        if settings.auth.required and daemon.store and await daemon.store.users.empty():
            _log.warning("there is no account yet: the first one that signs up is administrator")
        with announced(daemon, ready_file):
            if settings.log.format == "json":
                _log.info(
                    "coqui_server %s is ready: %s", __version__, json.dumps(addresses(daemon))
                )
            else:
                print(screen(daemon, source), flush=True)
            await stopped.wait()
        await daemon.shut_down()


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
    """Warn when other machines can connect and no sign-in is required."""
    hosts = {"server.http.host": settings.server.http.host}
    if settings.web.enabled:
        hosts["web.host"] = settings.web.host
    for key, host in hosts.items():
        if not settings.auth.required and not _is_loopback(host):
            _log.warning(
                "%s is %s: everybody who reaches it may use it without signing in (auth.required)",
                key,
                host,
            )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


if __name__ == "__main__":
    sys.exit(main())
