"""What is answered before a WebSocket opens: plain requests, refusals, and who it is."""

import json
import logging
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit, urlunsplit

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from coqui_server.auth.access import Access
from coqui_server.auth.arrivals import Arrivals
from coqui_server.auth.origins import foreign_origin
from coqui_server.auth.proxies import Arrival
from coqui_server.exceptions import Busy, ForeignHost, NotSignedIn, RequestError, StoreError
from coqui_server.sockets.routes import Routes
from coqui_server.sockets.websockets_adapter import Connection
from coqui_server.transcription.readiness import ANSWERS
from coqui_server.transcription.service import Service

_VISIBLE = dict.fromkeys((*range(32), 127), "?")
"""Controls in what a client sent, which could forge lines of the log."""

_log = logging.getLogger(__name__)


class Answers:
    """The answers of one port.

    Args:
        console: gives the port to which requests of REST are sent; None if there is none.
    """

    def __init__(
        self,
        service: Service,
        routes: Routes,
        access: Access,
        console: Callable[[], int | None],
    ) -> None:
        self._service = service
        self._routes = routes
        self._access = access
        self._console = console
        self._arrivals = Arrivals(service.settings)

    async def answer(self, connection: ServerConnection, request: Request) -> Response | None:
        """The answer to a request; None lets a handshake go on, whose principal is then known."""
        assert isinstance(connection, Connection)
        parts = urlsplit(request.path)
        peer, local = connection.remote_address[0], connection.local_address[0]
        try:
            arrival = self._arrivals.arrival(peer, local, request.headers.raw_items(), parts.path)
        except ForeignHost as foreign:
            return connection.respond(HTTPStatus.MISDIRECTED_REQUEST, f"{foreign}\n")
        connection.arrival = arrival
        # The protocols read their options from it.
        request.path = urlunsplit(("", "", arrival.path, parts.query, ""))
        plain = self._plain(connection, request)
        refusal = plain or await self._stranger(connection, parts.query)
        return refusal or self._unfit(connection, parts.query)

    def complete(self, connection: ServerConnection, _: Request, response: Response) -> None:
        """Change an answer, also a refusal, as the clients of its path expect."""
        # A request for another host is refused before its path is known.
        arrival: Arrival | None = getattr(connection, "arrival", None)
        route = self._routes.get(arrival.path) if arrival else None
        if route and route.handshake:
            route.handshake.complete(str(connection.id), response)

    def _plain(self, connection: Connection, request: Request) -> Response | None:
        """Answer what is no handshake, or none of a known path."""
        path = connection.arrival.path
        if foreign := foreign_origin(
            connection.arrival.headers, self._service.settings.server.origins
        ):
            problem = f"pages of {foreign} may not connect; server.origins names those that may\n"
            _log_refusal(connection, path, 403, f'server.origins = ["{foreign[:100]}"] lets it in')
            return connection.respond(HTTPStatus.FORBIDDEN, problem)
        if "upgrade" not in request.headers.get("Connection", "").lower():
            if elsewhere := self._elsewhere(connection, request):
                return elsewhere
            if path == "/":
                return connection.respond(HTTPStatus.OK, "Welcome to coqui_server\n")
            if path in ANSWERS:
                status, content = ANSWERS[path](self._service)
                response = connection.respond(status, json.dumps(content) + "\n")
                del response.headers["Content-Type"]
                response.headers["Content-Type"] = "application/json"
                return response
        if path in self._routes:
            return None
        known = ", ".join((*self._routes, *ANSWERS))
        _log_refusal(connection, path, 404, f"there is {known}, below each of server.prefixes")
        return connection.respond(HTTPStatus.NOT_FOUND, f"no {path} here; there is {known}\n")

    def _elsewhere(self, connection: Connection, request: Request) -> Response | None:
        """Send what is for REST, such as the POST of a file, to the console.

        Not if it came through a proxy: nobody knows here where that has the console.
        """
        port, arrival = self._console(), connection.arrival
        name, _, asked = arrival.headers.get("host", "").rpartition(":")
        direct = asked == str(connection.local_address[1])
        if request.method in ("GET", "HEAD") or port is None or not direct:
            return None
        _log.info("%s: sent to the console's port %d for REST", arrival.address, port)
        response = connection.respond(HTTPStatus.PERMANENT_REDIRECT, f"REST is on port {port}\n")
        response.headers["Location"] = f"http://{name}:{port}{arrival.prefix}{request.path}"
        return response

    async def _stranger(self, connection: Connection, query: str) -> Response | None:
        """Refuse a client that has to sign in and has not; keep the principal of any other."""
        arrival = connection.arrival
        try:
            connection.principal = await self._access.principal(arrival.headers, query)
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

    def _unfit(self, connection: Connection, query: str) -> Response | None:
        """Refuse a query of which a vendor's clients expect to hear before the handshake."""
        path = connection.arrival.path
        if (handshake := self._routes[path].handshake) is None:
            return None
        try:
            handshake.check(query)
        except RequestError as refusal:
            _log_refusal(connection, path, refusal.http_status, str(refusal))
            response = connection.respond(HTTPStatus(refusal.http_status), f"{refusal}\n")
            if isinstance(refusal, Busy):
                response.headers["Retry-After"] = str(refusal.retry)
            return response
        return None


def _log_refusal(connection: Connection, path: str, status: int, remedy: str) -> None:
    """Log what would let a refused handshake in; never its query, which may have a token."""
    remedy = remedy.translate(_VISIBLE)
    address = connection.arrival.address
    _log.warning("%s: refused %.100r (%d); %s", address, path, status, remedy)
