"""A UDP socket on the event loop that reads many datagrams at each wake-up.

asyncio's datagram transport waits for the selector before each datagram. That was measured at ten
times the cost of reading while there is something to read.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any

from coqui_server.rtp.names import Address

Received = Callable[[bytes, Address], None]

_AT_ONCE = 256
"""Datagrams read before other tasks get their turn; about two milliseconds."""

_LARGEST = 65_536
_KERNEL_BUFFER = 4 * 2**20
"""Bytes of the kernel's receive buffer, for a busy loop; the kernel may give less."""

_log = logging.getLogger(__name__)


class Endpoint(asyncio.DatagramProtocol):
    """An open socket. `received` is called with each datagram and must not raise."""

    def __init__(self, bound: socket.socket, received: Received) -> None:
        self.port: int = bound.getsockname()[1]
        self._socket = bound
        self._received = received
        self._transport: asyncio.DatagramTransport | None = None

    @classmethod
    async def open(cls, host: str, port: int, received: Received) -> "Endpoint":
        """Listen on a port, or on any free one for 0.

        Raises:
            OSError: the address cannot be had.
        """
        loop = asyncio.get_running_loop()
        endpoint = cls(_bound(host, port), received)
        try:
            loop.add_reader(endpoint._socket, endpoint._read)
        except NotImplementedError:
            # Windows' event loop has no readers.
            transport, _ = await loop.create_datagram_endpoint(
                lambda: endpoint, sock=endpoint._socket
            )
            endpoint._transport = transport
        return endpoint

    def send(self, datagram: bytes, address: Address) -> None:
        """Send if the kernel takes it now; lost RTCP does no harm."""
        if self._transport:
            self._transport.sendto(datagram, address)
            return
        try:
            self._socket.sendto(datagram, address)
        except OSError as error:
            _log.debug("rtp: a report could not be sent: %s", error)

    def close(self) -> None:
        """Close the socket."""
        if self._transport:
            self._transport.close()
        else:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Take a datagram, where asyncio reads the socket."""
        self._received(data, addr[:2])

    def _read(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                datagram, address = self._socket.recvfrom(_LARGEST)
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionError:
                # An earlier report reached a closed port (ICMP); this is not a datagram.
                continue
            self._received(datagram, address[:2])


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
    )[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setblocking(False)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _KERNEL_BUFFER)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound
