"""The one place that changes how `uvicorn` behaves.

- `capture_signals` is overridden: the daemon handles signals, and uvicorn has no option for that.
- `TimedProtocol` extends its HTTP protocol: uvicorn waits for ever for a head, for a body, and for
  a client that does not read.
- `connection` makes uvicorn's HTTP protocol by hand: `websockets` accepts the connections of the
  console's port, so that both ports share routes, limits, checks and closing. uvicorn can only
  listen by itself, and its own WebSocket protocols are ASGI, which must hold a whole message in
  memory.

`tests/web/test_uvicorn_adapter.py` fails when an upgrade changes what is used here.
"""

import asyncio
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol
from websockets.asyncio.server import Server
from websockets.server import ServerProtocol

from coqui_server.config.server import ServerSettings
from coqui_server.sockets.addresses import Addresses
from coqui_server.sockets.websockets_adapter import Connection, peer

_LEAST = 16 * 1024
"""Bytes of a body that have to come within `server.slow`."""

_TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class HttpServer(uvicorn.Server):
    """uvicorn in the daemon's event loop, with the daemon's sockets and signals."""

    def __init__(self, app: FastAPI, settings: ServerSettings, addresses: Addresses) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=TimedProtocol,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                # `Guard` reads what proxies say.
                proxy_headers=False,
                timeout_graceful_shutdown=math.ceil(settings.drain),
            )
        )
        self.config.load()
        self._settings = settings
        self._addresses = addresses

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def connection(
        self, protocol: ServerProtocol, server: Server, **options: Any
    ) -> asyncio.Protocol:
        """The protocol of an accepted connection.

        It begins as HTTP. If the client asks for a WebSocket, it becomes the same `Connection` as
        on the speech port, with every protocol.
        """
        http = TimedProtocol(config=self.config, server_state=self.server_state, app_state={})
        http.limit(self._settings, self._addresses)
        options["addresses"] = self._addresses
        http.ws_protocol_class = lambda **_: Connection(protocol, server, **options)  # type: ignore[assignment]
        return http


class TimedProtocol(H11Protocol):
    """uvicorn's HTTP protocol with deadlines for clients, and a limit for each address."""

    _phase: object = None
    _received = 0
    _address = ""
    _reading: asyncio.TimerHandle | None = None
    _writing: asyncio.TimerHandle | None = None

    def limit(self, settings: ServerSettings, addresses: Addresses) -> None:
        """Set the deadlines and the count of connections; to be called before the first event."""
        self._settings = settings
        self._addresses = addresses

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._address = peer(transport)
        if self._addresses.enter(self._address):
            self._watch_reading()
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        super().data_received(data)
        if self.transport.get_protocol() is self:
            self._watch_reading()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        # `Connection` counts it from here on.
        self._leave()
        super().handle_websocket_upgrade(event)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch_reading()
        self._watch_writing()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_writing()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._watch_writing()

    def _leave(self) -> None:
        self._addresses.leave(self._address)
        for timer in (self._reading, self._writing):
            if timer:
                timer.cancel()

    def _watch_reading(self) -> None:
        """Set the deadline of the part of a request that comes next."""
        phase = self.conn.their_state
        if phase is self._phase:
            return
        self._phase = phase
        if self._reading:
            self._reading.cancel()
        if phase is h11.IDLE:
            self._reading = self.loop.call_later(self._settings.head, self._time_out)
        elif phase is h11.SEND_BODY:
            self._expect_body()

    def _expect_body(self) -> None:
        self._received = 0
        self._reading = self.loop.call_later(self._settings.slow, self._check_body)

    def _check_body(self) -> None:
        if self._received >= _LEAST or self.flow.read_paused:
            self._expect_body()
        else:
            self._time_out()

    def _time_out(self) -> None:
        """Close the connection, with 408 if no answer has begun."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.write(_TIMEOUT)
            self.transport.close()
        else:
            self.transport.abort()

    def _watch_writing(self) -> None:
        if self._writing:
            self._writing.cancel()
        if self.transport.get_write_buffer_size():
            self._writing = self.loop.call_later(self._settings.slow, self._check_written)

    def _check_written(self) -> None:
        # A response that is being written is otherwise watched by the calls of pause_writing.
        if self.flow.write_paused or self.transport.is_closing():
            self.transport.abort()
