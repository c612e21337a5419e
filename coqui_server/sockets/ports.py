"""Opens TCP ports for WebSockets, refuses handshakes, and answers plain GET for monitors."""

import asyncio
import errno
import json
import logging
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from coqui_server import __version__
from coqui_server.auth.access import Access
from coqui_server.auth.arrivals import Arrivals
from coqui_server.auth.origins import foreign_origin
from coqui_server.auth.proxies import Arrival
from coqui_server.exceptions import ConfigError, ForeignHost, NotSignedIn, RequestError, StoreError
from coqui_server.sockets.addresses import Addresses
from coqui_server.sockets.routes import Routes
from coqui_server.sockets.websockets_adapter import Connection
from coqui_server.transcription.readiness import ANSWERS
from coqui_server.transcription.service import Service

_QUEUED_FRAMES = 1
"""Frames that websockets reads ahead: few, since a frame may be as large as a file."""

_VISIBLE = dict.fromkeys((*range(32), 127), "?")
"""Controls in what a client sent, which could forge lines of the log."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """Where to listen, and the keys of the settings that say so."""

    host: str
    port: int
    host_key: str
    port_key: str


async def listen(
    service: Service, routes: Routes, access: Access, addresses: Addresses
) -> list[Server]:
    """Listen on the port of `server.http`, then on its extra ports.

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
                    place, service, routes, access, partial(Connection, addresses=addresses)
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
) -> Server:
    """Listen at one place.

    Args:
        create_connection: makes the protocol of each new TCP connection.

    Raises:
        ConfigError: the address or the port cannot be had.
    """
    arrivals = Arrivals(service.settings)

    async def handle(connection: ServerConnection) -> None:
        assert isinstance(connection, Connection)
        leave = partial(connection.close, NotSignedIn.close_code, "the sign-in has ended")
        try:
            with access.presence.entered(connection.principal, leave):
                route = routes[connection.arrival.path]
                await route.serve(connection, connection.principal)
        except ConnectionClosed:
            _log.info("%s: the client went away", connection.arrival.address)

    async def answer(connection: ServerConnection, request: Request) -> Response | None:
        assert isinstance(connection, Connection)
        parts = urlsplit(request.path)
        peer, local = connection.remote_address[0], connection.local_address[0]
        try:
            arrival = arrivals.arrival(peer, local, request.headers.raw_items(), parts.path)
        except ForeignHost as foreign:
            return connection.respond(HTTPStatus.MISDIRECTED_REQUEST, f"{foreign}\n")
        connection.arrival = arrival
        # The protocols read their options from it.
        request.path = urlunsplit(("", "", arrival.path, parts.query, ""))
        plain = _plain(connection, request, service, routes)
        refusal = plain or await _refusal(connection, request, access)
        return refusal or _unfit(connection, parts.query, routes)

    def complete(connection: ServerConnection, _: Request, response: Response) -> None:
        # A request for another host is refused before its path is known.
        arrival: Arrival | None = getattr(connection, "arrival", None)
        route = routes.get(arrival.path) if arrival else None
        if route and route.handshake:
            route.handshake.complete(str(connection.id), response)

    try:
        return await serve(
            handle,
            place.host,
            place.port,
            create_connection=create_connection,  # type: ignore[arg-type]
            process_request=answer,
            process_response=complete,
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
        raise _unusable(error, place) from error


def _plain(
    connection: Connection, request: Request, service: Service, routes: Routes
) -> Response | None:
    """Answer a plain GET; None lets a WebSocket handshake for a known path go on."""
    path = connection.arrival.path
    if foreign := foreign_origin(connection.arrival.headers, service.settings.server.origins):
        problem = f"pages of {foreign} may not connect; server.origins names those that may\n"
        _log_refusal(connection, path, 403, f'server.origins = ["{foreign[:100]}"] lets it in')
        return connection.respond(HTTPStatus.FORBIDDEN, problem)
    if "upgrade" not in request.headers.get("Connection", "").lower():
        if path == "/":
            return connection.respond(HTTPStatus.OK, "Welcome to coqui_server\n")
        if path in ANSWERS:
            status, content = ANSWERS[path](service)
            response = connection.respond(status, json.dumps(content) + "\n")
            del response.headers["Content-Type"]
            response.headers["Content-Type"] = "application/json"
            return response
    if path in routes:
        return None
    known = ", ".join((*routes, *ANSWERS))
    _log_refusal(connection, path, 404, f"there is {known}, below each of server.prefixes")
    return connection.respond(HTTPStatus.NOT_FOUND, f"no {path} here; there is {known}\n")


async def _refusal(connection: Connection, request: Request, access: Access) -> Response | None:
    """Refuse a client that has to sign in and has not; keep the principal of any other."""
    arrival = connection.arrival
    try:
        query = urlsplit(request.path).query
        connection.principal = await access.principal(arrival.headers, query)
    except NotSignedIn as refusal:
        remedy = f"{refusal}; a valid token lets it in"
        _log_refusal(connection, arrival.path, 401, remedy)
        response = connection.respond(HTTPStatus.UNAUTHORIZED, f"{refusal}\n")
        response.headers["WWW-Authenticate"] = "Bearer"
        return response
    except StoreError as fault:
        _log.warning("no client can be signed in: %s", fault)
        return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, f"{fault}\n")
    return None


def _unfit(connection: Connection, query: str, routes: Routes) -> Response | None:
    """Refuse a query of which a vendor's clients expect to hear before the handshake."""
    path = connection.arrival.path
    if (handshake := routes[path].handshake) is None:
        return None
    try:
        handshake.check(query)
    except RequestError as refusal:
        _log_refusal(connection, path, refusal.http_status, str(refusal))
        return connection.respond(HTTPStatus(refusal.http_status), f"{refusal}\n")
    return None


def _log_refusal(connection: Connection, path: str, status: int, remedy: str) -> None:
    """Log what would let a refused handshake in; never its query, which may have a token."""
    remedy = remedy.translate(_VISIBLE)
    address = connection.arrival.address
    _log.warning("%s: refused %.100r (%d); %s", address, path, status, remedy)


class Listening(Protocol):
    """An open TCP port."""

    @property
    def sockets(self) -> Iterable[socket.socket]: ...


def address_of(port: Listening) -> str:
    """`host:port` of an open TCP port."""
    host, number = next(iter(port.sockets)).getsockname()[:2]
    return f"[{host}]:{number}" if ":" in host else f"{host}:{number}"


def _unusable(error: OSError, place: Place) -> ConfigError:
    if error.errno in (errno.EADDRINUSE, getattr(errno, "WSAEADDRINUSE", None)):
        taken = f"found {place.port}, which is in use on {place.host}"
        return ConfigError(place.port_key, f"{taken}; allowed: a free port, or 0 for any")
    if error.errno in (errno.EACCES, errno.EPERM):
        return ConfigError(place.port_key, f"found {place.port}, allowed: one above 1023")
    problem = f'found "{place.host}", allowed: an address of this machine'
    return ConfigError(place.host_key, problem)
