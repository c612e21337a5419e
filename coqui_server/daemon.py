"""The daemon's parts: put together, and taken apart again, in one place."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from websockets.asyncio.server import Server
from websockets.frames import CloseCode

from coqui_server import cluster
from coqui_server.auth import access
from coqui_server.auth.access import Access
from coqui_server.auth.departures import Departures
from coqui_server.auth.proxies import Proxies
from coqui_server.config.settings import Settings
from coqui_server.engines import Engines
from coqui_server.jobs import opening as jobs
from coqui_server.jobs.queue import Queue
from coqui_server.rtp.calls import Calls
from coqui_server.rtp.control import Control
from coqui_server.rtp.listener import Listener
from coqui_server.rtp.shared_control import SharedControl
from coqui_server.sockets.addresses import Addresses
from coqui_server.sockets.announcement import announced
from coqui_server.sockets.ports import Port, listen
from coqui_server.sockets.routes import Routes, routes
from coqui_server.sockets.wyoming_port import WyomingPort, open_wyoming
from coqui_server.store import Store, opened
from coqui_server.transcription import opening
from coqui_server.transcription.exchange import Exchange
from coqui_server.transcription.service import Service
from coqui_server.web.app import build
from coqui_server.web.callbacks import Callbacks
from coqui_server.web.console import Console, open_console
from coqui_server.web.parts import Parts
from coqui_server.webhook import Webhook

_LAST_RESULTS = 5.0
"""Seconds for the last finals of clients that were not done within `server.drain`."""

_log = logging.getLogger(__name__)


@dataclass
class Daemon:
    """The running parts.

    Attributes:
        routes: the paths of the socket protocols.
        servers: the speech port, then the extra ports.
        store, queue: None where nothing is stored.
        console, wyoming: None where they are switched off.
        exchange: passes events between several servers; None for one alone.
    """

    settings: Settings
    service: Service
    rtp: Listener
    calls: Control
    access: Access
    routes: Routes
    store: Store | None
    queue: Queue | None
    servers: list[Server] = field(default_factory=list)
    wyoming: WyomingPort | None = None
    console: Console | None = None
    exchange: Exchange | None = None

    @property
    def ports(self) -> list[Port]:
        """Every open TCP port."""
        others: tuple[Port | None, ...] = (self.wyoming, self.console)
        return [*self.servers, *(port for port in others if port)]

    def console_port(self) -> int | None:
        """The number of the console's port; None where it is switched off."""
        return self.console.sockets[0].getsockname()[1] if self.console else None

    async def shut_down(self) -> None:
        """Take nothing new, finish what is in flight, and close the TCP ports.

        Jobs stop; the next daemon starts them again. Open sessions and connections have
        `server.drain` to end. Clients that are not done by then get their last finals and are
        closed with 1001.
        """
        seconds = self.settings.server.drain
        if self.queue:
            await self.queue.close()
        _log.info("shutting down, waiting up to %g s for open sessions", seconds)
        self.service.drain()
        for port in self.ports:
            port.close(close_connections=False)
        if await self._drained(seconds):
            return
        self.service.dismiss()
        if not await self._drained(_LAST_RESULTS):
            open = [connection for port in self.ports for connection in port.connections]
            await asyncio.gather(*(connection.close(CloseCode.GOING_AWAY) for connection in open))
            await asyncio.gather(*(port.wait_closed() for port in self.ports))

    async def _drained(self, seconds: float) -> bool:
        """Wait for open sessions and connections; whether they ended in time."""
        try:
            async with asyncio.timeout(seconds):
                await self.rtp.drain()
                await self.service.drained()
                if self.exchange:
                    await self.exchange.settled()
                # Subscribers leave when the hub is closed, which has no more events.
                self.service.hub.close()
                await asyncio.gather(*(port.wait_closed() for port in self.ports))
        except TimeoutError:
            return False
        return True

    async def close_ports(self) -> None:
        """Close the TCP ports and all connections at once."""
        for port in self.ports:
            port.close()
            await port.wait_closed()


@asynccontextmanager
async def running(settings: Settings, engines: Engines | None = None) -> AsyncIterator[Daemon]:
    """A daemon that serves until the block is left, which ends everything at once.

    Call `Daemon.shut_down` before, to let clients and sessions finish.

    Args:
        engines: used as they are, and left open; None loads those of the settings, measures them,
            and closes them at the end.

    Raises:
        ConfigError: a model is missing, an address cannot be had, or the store cannot be opened.
    """
    async with AsyncExitStack() as stack:
        shared = await stack.enter_async_context(cluster.opened(settings.cluster))
        run = shared.run if shared else None
        store = await stack.enter_async_context(opened(settings.store, run, settings.cluster.lease))
        door = await access.opened(settings, store)
        stack.push_async_callback(door.presence.close)
        keeper, terms_of = (store.keeper, store.users.terms_of) if store else (None, None)
        service = await stack.enter_async_context(
            opening.opened(settings, engines, keeper, terms_of, shared)
        )
        exchange = None
        if shared:
            exchange = Exchange(service.hub, await shared.news("sessions"))
            await stack.enter_async_context(exchange)
            departures = Departures(door, await shared.news("sign-ins"))
            await stack.enter_async_context(departures)
        if store and store.replicas:
            await stack.enter_async_context(store.replicas.kept(service.hub))
        webhook = await stack.enter_async_context(Webhook(settings.rtp.webhook))
        stack.push_async_callback(webhook.close, settings.server.drain)
        rtp = await stack.enter_async_context(Listener(service, [webhook]))
        queue = None
        if store:
            queue = await stack.enter_async_context(jobs.opened(service, store))
        calls = Control(Calls(rtp))
        if shared:
            calls = await stack.enter_async_context(SharedControl(Calls(rtp), shared))
        paths = routes(service, calls)
        daemon = Daemon(settings, service, rtp, calls, door, paths, store, queue)
        daemon.exchange = exchange
        stack.push_async_callback(daemon.close_ports)
        addresses = Addresses(settings.server.connections, Proxies(settings.server).trusts)
        daemon.servers = await listen(service, paths, door, addresses, daemon.console_port)
        daemon.wyoming = await open_wyoming(service, addresses)
        if daemon.wyoming:
            await stack.enter_async_context(announced(daemon.wyoming, settings.wyoming))
        if settings.web.enabled:
            callbacks = Callbacks(settings.rtp.webhook)
            stack.push_async_callback(callbacks.close)
            app = build(Parts(service, rtp, calls, store, queue, door, callbacks))
            daemon.console = await open_console(app, service, paths, addresses)
        yield daemon
