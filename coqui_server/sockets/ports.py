"""Opens TCP ports for WebSockets."""

import asyncio
import errno
import logging
import socket
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from coqui_server import __version__
from coqui_server.auth.access import Access
from coqui_server.exceptions import ConfigError, NotSignedIn
from coqui_server.sockets.addresses import Addresses
from coqui_server.sockets.answers import Answers
from coqui_server.sockets.routes import Routes
from coqui_server.sockets.websockets_adapter import Connection
from coqui_server.transcription.service import Service

_QUEUED_FRAMES = 1
"""Frames that websockets reads ahead: few, since a frame may be as large as a file."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """Where to listen, and the keys of the settings that say so."""

    host: str
    port: int
    host_key: str
    port_key: str


async def listen(
    service: Service,
    routes: Routes,
    access: Access,
    addresses: Addresses,
    console: Callable[[], int | None],
) -> list[Server]:
    """Listen on the port of `server.http`, then on its extra ports.

    Args:
        console: gives the port of the console, to which other requests are sent; None without one.

    Raises:
        ConfigError: the address or a port cannot be had.
    """
    http = service.settings.server.http
    servers: list[Server] = []
    try:
        for port in (http.port, *http.extra_ports):
            key = "server.http.port" if port == http.port else "server.http.extra_ports"
            place = Place(http.host, port, "server.http.host", key)
            servers += [
                await open_port(
                    place,
                    service,
                    routes,
                    access,
                    partial(Connection, addresses=addresses),
                    console,
                )
            ]
    except ConfigError:
        for server in servers:
            server.close()
        raise
    return servers


async def open_port(
    place: Place,
    service: Service,
    routes: Routes,
    access: Access,
    create_connection: Callable[..., asyncio.Protocol],
    console: Callable[[], int | None] = lambda: None,
) -> Server:
    """Listen at one place.

    Args:
        create_connection: makes the protocol of each new TCP connection.
        console: as in `listen`.

    Raises:
        ConfigError: the address or the port cannot be had.
    """
    answers = Answers(service, routes, access, console)

    async def handle(connection: ServerConnection) -> None:
        assert isinstance(connection, Connection)
        leave = partial(connection.close, NotSignedIn.close_code, "the sign-in has ended")
        try:
            with access.presence.entered(connection.principal, leave):
                route = routes[connection.arrival.path]
                await route.serve(connection, connection.principal)
        except ConnectionClosed:
            _log.info("%s: the client went away", connection.arrival.address)

    try:
        return await serve(
            handle,
            place.host,
            place.port,
            create_connection=create_connection,  # type: ignore[arg-type]
            process_request=answers.answer,
            process_response=answers.complete,
            max_size=(None, service.settings.server.websocket.frame_limit),
            max_queue=_QUEUED_FRAMES,
            compression=None,
            open_timeout=service.settings.server.head,
            # A client whose upload is slowed down cannot answer pings in time. `server.idle` and
            # TCP find dead connections.
            ping_timeout=None,
            server_header=f"coqui_server/{__version__}",
        )
    except OSError as error:
        raise unusable(error, place) from error


class Closing(Protocol):
    """An open connection."""

    async def close(self, code: CloseCode, /) -> None: ...


class Port(Protocol):
    """An open TCP port."""

    @property
    def sockets(self) -> Iterable[socket.socket]: ...

    @property
    def connections(self) -> Collection[Closing]: ...

    def close(self, close_connections: bool = True) -> None: ...

    async def wait_closed(self) -> None: ...


def address_of(port: Port) -> str:
    """`host:port` of an open TCP port."""
    host, number = next(iter(port.sockets)).getsockname()[:2]
    return f"[{host}]:{number}" if ":" in host else f"{host}:{number}"


def unusable(error: OSError, place: Place) -> ConfigError:
    """Why a place to listen at cannot be had."""
    if error.errno in (errno.EADDRINUSE, getattr(errno, "WSAEADDRINUSE", None)):
        taken = f"found {place.port}, which is in use on {place.host}"
        return ConfigError(place.port_key, f"{taken}; allowed: a free port, or 0 for any")
    if error.errno in (errno.EACCES, errno.EPERM):
        return ConfigError(place.port_key, f"found {place.port}, allowed: one above 1023")
    problem = f'found "{place.host}", allowed: an address of this machine'
    return ConfigError(place.host_key, problem)
