"""The console's port: HTTP for pages and REST, and every socket protocol."""

import asyncio
import socket
from collections.abc import Sequence

from fastapi import FastAPI
from websockets.asyncio.server import Server, ServerConnection

from coqui_server.auth.access import Access
from coqui_server.sockets.addresses import Addresses
from coqui_server.sockets.ports import Place, open_port
from coqui_server.sockets.routes import Routes
from coqui_server.transcription.service import Service
from coqui_server.web.uvicorn_adapter import HttpServer


class Console:
    """The open port of the console, closed in the same way as a server of websockets."""

    def __init__(self, http: HttpServer, server: Server) -> None:
        self._http = http
        self._server = server
        self._serving = asyncio.create_task(http.serve(sockets=[]))

    @property
    def sockets(self) -> Sequence[socket.socket]:
        """The listening sockets."""
        return self._server.sockets

    @property
    def connections(self) -> set[ServerConnection]:
        """The open WebSockets."""
        return self._server.connections

    def close(self, close_connections: bool = True) -> None:
        """Take no more connections. Open requests have `server.drain` to finish."""
        self._server.close(close_connections)
        self._http.should_exit = True

    async def wait_closed(self) -> None:
        """Wait until all requests are answered or cancelled, and all WebSockets closed."""
        await asyncio.shield(self._serving)
        await self._server.wait_closed()


async def open_console(
    app: FastAPI, service: Service, routes: Routes, addresses: Addresses
) -> Console:
    """Open the console's port, where `web` says.

    Raises:
        ConfigError: the address or the port cannot be had.
    """
    settings = service.settings
    access: Access = app.state.access
    http = HttpServer(app, settings.server, addresses)
    place = Place(settings.web.host, settings.web.port, "web.host", "web.port")
    return Console(http, await open_port(place, service, routes, access, http.connection))
