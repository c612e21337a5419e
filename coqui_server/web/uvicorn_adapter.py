"""The one place that changes how `uvicorn` behaves.

- `capture_signals` is overridden: the daemon handles signals, and uvicorn has no option for that.
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

import uvicorn
from fastapi import FastAPI
from websockets.asyncio.server import Server
from websockets.server import ServerProtocol

from coqui_server.sockets.websockets_adapter import Connection


class HttpServer(uvicorn.Server):
    """uvicorn in the daemon's event loop, with the daemon's sockets and signals."""

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
        """The protocol of an accepted connection.

        It begins as HTTP. If the client asks for a WebSocket, it becomes the same `Connection` as
        on the speech port, with every protocol.
        """
        http_protocol: Any = self.config.http_protocol_class
        http = http_protocol(config=self.config, server_state=self.server_state, app_state={})
        http.ws_protocol_class = lambda **_: Connection(protocol, server, **options)
        return http  # type: ignore[no-any-return]
