"""The console's port: uvicorn in our event loop, and the socket protocols beside it."""

import asyncio
import math
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI
from websockets.asyncio.server import Server, ServerConnection
from websockets.server import ServerProtocol

from coqui_server.auth.access import Access
from coqui_server.sockets import Connection, Place, Routes, open_port
from coqui_server.transcription.service import Service


class _Http(uvicorn.Server):
    """uvicorn without sockets of its own, and without signals: both are the daemon's."""

    def __init__(self, app: FastAPI, drain: float) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http="h11",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=math.ceil(drain),
            )
        )
        self.config.load()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def connection(
        self, protocol: ServerProtocol, server: Server, **options: Any
    ) -> asyncio.Protocol:
        """One that was accepted. It begins as HTTP; if it asks to be a WebSocket it becomes just
        such a connection as the speech port has, so that every protocol is there too."""
        made: Any = self.config.http_protocol_class
        http = made(config=self.config, server_state=self.server_state, app_state={})
        http.ws_protocol_class = lambda **_: Connection(protocol, server, **options)
        return http  # type: ignore[no-any-return]


class Console:
    """The console's port while it is open; it is closed as the speech port's servers are."""

    def __init__(self, http: _Http, server: Server) -> None:
        self._http = http
        self._server = server
        self._serving = asyncio.create_task(http.serve(sockets=[]))

    @property
    def sockets(self) -> Sequence[socket.socket]:
        """What it listens on."""
        return self._server.sockets

    @property
    def connections(self) -> set[ServerConnection]:
        """The open WebSockets."""
        return self._server.connections

    def close(self, close_connections: bool = True) -> None:
        """Take no more connections; requests that are being answered have `server.drain`."""
        self._server.close(close_connections)
        self._http.should_exit = True

    async def wait_closed(self) -> None:
        """Wait until all is answered or cancelled, and all WebSockets are closed."""
        await asyncio.shield(self._serving)
        await self._server.wait_closed()


async def listen(app: FastAPI, service: Service, routes: Routes) -> Console:
    """Open the console's port, where `web` says.

    Raises:
        ConfigError: the address or the port cannot be had.
    """
    settings = service.settings
    access: Access = app.state.access
    http = _Http(app, settings.server.drain)
    place = Place(settings.web.host, settings.web.port, "web.host", "web.port")
    return Console(http, await open_port(place, service, routes, access, http.connection))
