"""The one place that changes how `websockets` behaves.

Two methods of its `ServerProtocol` are replaced on each connection, and some of its own extended:

- `fail`: websockets refuses a frame that is too large by its header alone and closes with 1009,
  before any handler has seen the connection. There is no hook for a message of ours before that
  close, and our clients expect every refusal as JSON.
- `fail`, `close` and `data_received`: websockets does not read while frames wait, also when the
  connection is closing. It then finds the end of the connection only after its `close_timeout`.
  Eight clients that broke off had 512 connections open in this way.
- `data_received`: websockets answers no request that has a body, as a `POST` of a file to the wrong
  port has. The body is taken away, so that the request gets an answer as others do.
- `connection_made` and `connection_lost` also count the connections of each address.
- `select_subprotocol`: `serve` takes a function only for servers that list their subprotocols. A
  browser may offer a token of its own (`coqui_…`), which must be answered with that same name.

`tests/sockets/test_websockets_adapter.py` fails when an upgrade changes either method.
"""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.frames import CloseCode, Frame
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from coqui_server.auth.access import SCHEMES
from coqui_server.auth.proxies import Arrival
from coqui_server.exceptions import TooLarge
from coqui_server.principal import Principal
from coqui_server.sockets.addresses import Addresses
from coqui_server.sockets.bodiless import Bodiless
from coqui_server.store.tokens import PREFIX

_REALTIME = Subprotocol("realtime")
"""What OpenAI's clients offer in a browser, beside a subprotocol with their key."""


class Connection(ServerConnection):
    """A connection that says why a frame is too large before it is closed for it.

    Attributes:
        arrival: its handshake; set before the rest.
        principal: who opened it; set before the handshake is accepted.
    """

    arrival: Arrival
    principal: Principal

    def __init__(
        self, protocol: ServerProtocol, *args: Any, addresses: Addresses, **options: Any
    ) -> None:
        self._addresses = addresses
        self._address = ""
        fail = protocol.fail

        def explain(code: CloseCode | int, reason: str = "") -> None:
            if code == TooLarge.close_code and protocol.state is State.OPEN:
                reply = {"message": f"{reason}; send smaller frames", "code": TooLarge.code}
                protocol.send_text(json.dumps(reply).encode())
            fail(code, reason)
            self._drop_what_comes()

        self._bodiless = Bodiless()
        protocol.fail = explain  # type: ignore[method-assign]
        protocol.select_subprotocol = select_subprotocol  # type: ignore[method-assign, assignment]
        super().__init__(protocol, *args, **options)

    async def close(self, code: CloseCode | int = 1000, reason: str = "") -> None:
        """Close with a code and a reason (RFC 6455 section 5.5.1), cut to 123 bytes.

        What the client still sends is dropped, because its answer to the close comes after it.
        """
        self._drop_what_comes()
        await super().close(code, reason.encode()[:123].decode(errors="ignore"))

    def data_received(self, data: bytes) -> None:
        if data := self._bodiless.push(data):
            super().data_received(data)
        if self.protocol.state is State.CLOSING:
            # No more frames come after a close; only the end of the connection does.
            self.transport.resume_reading()

    def _drop_what_comes(self) -> None:
        self.recv_messages.put = _drop  # type: ignore[method-assign]
        self.transport.resume_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        super().connection_made(transport)
        self._address = peer(transport)
        if not self._addresses.enter(self._address):
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._addresses.leave(self._address)
        super().connection_lost(exc)


def _drop(frame: Frame) -> None:
    pass


def peer(transport: asyncio.BaseTransport) -> str:
    """The address of the other side; "" if it is gone already."""
    return str((transport.get_extra_info("peername") or ("",))[0])


def select_subprotocol(offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """The answer to a browser that offers its token as a subprotocol; None for all others.

    Our protocols are chosen by the path. Asterisk offers "ws" and does not expect an answer.
    """
    scheme = next((name for name in offered if name.lower() in (*SCHEMES, _REALTIME)), None)
    return scheme or next((name for name in offered if name.startswith(PREFIX)), None)
