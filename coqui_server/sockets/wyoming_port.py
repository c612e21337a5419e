"""The TCP port of Wyoming. It is for those whom `wyoming.allow` names, as the protocol has no
sign-in, and closed in the same way as a server of websockets."""

import asyncio
import logging
import socket
from collections.abc import Sequence

from coqui_server.networks import within
from coqui_server.protocols import wyoming
from coqui_server.protocols.wyoming_connection import WyomingConnection
from coqui_server.sockets.addresses import Addresses
from coqui_server.sockets.ports import Place, unusable
from coqui_server.sockets.websockets_adapter import peer
from coqui_server.transcription.service import Service

_log = logging.getLogger(__name__)


class WyomingPort:
    """Accepts connections, and owns the task of each.

    Attributes:
        connections: those that are open.
    """

    def __init__(self, service: Service, addresses: Addresses) -> None:
        self.connections: set[WyomingConnection] = set()
        self._service = service
        self._addresses = addresses
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self, host: str, port: int) -> None:
        """Listen.

        Raises:
            ConfigError: the address or the port cannot be had.
        """
        try:
            self._server = await asyncio.start_server(self._accept, host, port)
        except OSError as error:
            place = Place(host, port, "wyoming.host", "wyoming.port")
            raise unusable(error, place) from error

    @property
    def sockets(self) -> Sequence[socket.socket]:
        """The listening sockets."""
        assert self._server
        return self._server.sockets

    def close(self, close_connections: bool = True) -> None:
        """Take no more connections, and perhaps close those that are open at once."""
        assert self._server
        self._server.close()
        for connection in self.connections if close_connections else ():
            connection.abort()

    async def wait_closed(self) -> None:
        """Wait until all connections are closed."""
        await asyncio.gather(*self._tasks)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = peer(writer.transport)
        if not within(address, self._service.settings.wyoming.allow):
            _log.warning('%s: refused; wyoming.allow = ["%s"] lets it in', address, address)
            writer.transport.abort()
            return
        task = asyncio.create_task(self._serve(reader, writer, address))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str
    ) -> None:
        connection = WyomingConnection(reader, writer, self._service, address)
        self.connections.add(connection)
        try:
            if self._addresses.enter(address):
                await wyoming.serve(connection, self._service)
                await connection.close()
        # One connection's failure is its own.
        except Exception:
            _log.exception("%s: the connection failed", address)
        finally:
            connection.abort()
            self._addresses.leave(address)
            self.connections.discard(connection)


async def open_wyoming(service: Service, addresses: Addresses) -> WyomingPort | None:
    """Open the port that `wyoming` says; None if that is off.

    Raises:
        ConfigError: the address or the port cannot be had.
    """
    settings = service.settings.wyoming
    if settings.port is None:
        return None
    port = WyomingPort(service, addresses)
    await port.open(settings.host, settings.port)
    return port
