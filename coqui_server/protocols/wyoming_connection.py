"""The connection of a Wyoming client: events of bounded size and in time, events back."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from coqui_server.protocols.wyoming_events import Event, Reader
from coqui_server.transcription.service import Service

_AT_ONCE = 64 * 1024
"""Bytes."""

_LINGER = 2.0
"""Seconds in which a client may read our last event and close, before we do."""

_log = logging.getLogger(__name__)


class WyomingConnection:
    """One client. Sending never fails: an event to a client that is gone is dropped.

    Attributes:
        address: of the client.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        service: Service,
        address: str,
    ) -> None:
        self.address = address
        self._reader = reader
        self._writer = writer
        self._service = service
        self._events = Reader()

    async def receive(self) -> Event | None:
        """The next event; None if the client is gone. Cancelling it loses nothing.

        Raises:
            BadRequest, TooLarge: as `wyoming_events.Reader`.
            Idle, GoingAway: as `Service.patience`.
        """
        async with self._service.patience():
            while (event := self._events.next()) is None:
                if not (data := await self._read()):
                    return None
                self._events.push(data)
            return event

    async def send(self, kind: str, data: Mapping[str, Any] | None = None) -> None:
        """Send one event, waiting `server.unread` at most for the client to read."""
        if self._writer.is_closing():
            return
        try:
            self._writer.write(bytes(Event(kind, data or {})))
            async with asyncio.timeout(self._service.settings.server.unread):
                await self._writer.drain()
        except TimeoutError:
            _log.warning("%s: cut off, it does not read", self.address)
            self.abort()
        except OSError:
            self.abort()

    async def close(self, *_: object) -> None:
        """Close, and drop what still comes: otherwise a reset could overtake the last event. There
        are no close codes here."""
        try:
            async with asyncio.timeout(_LINGER):
                self._writer.write_eof()
                while await self._read():
                    pass
        except (TimeoutError, OSError):
            pass
        finally:
            self.abort()

    def abort(self) -> None:
        """Close at once. The client is then gone for whoever waits for it."""
        self._writer.transport.abort()

    async def _read(self) -> bytes:
        try:
            return await self._reader.read(_AT_ONCE)
        except OSError:
            return b""
