"""One message taken from a WebSocket as it arrives, whatever its size."""

import asyncio
from collections.abc import AsyncIterator
from typing import Self

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from coqui_server.exceptions import NotAudio, RequestError, TooLarge
from coqui_server.transcription.service import Service


class Upload:
    """The fragments of the next binary message: an async iterator of bytes, with a limit on each.

    At most one fragment is held; a slow reader slows the sender down through TCP. Use as an async
    context manager.

    Raises, when iterated:
        NotAudio: the message is text.
        TooLarge: it passes `server.websocket.max_size`.
        Idle, GoingAway: the daemon waits no longer, as `Service.patience` has it.
        ConnectionClosed: the sender went away before the end.
    """

    def __init__(self, connection: ServerConnection, service: Service) -> None:
        self._connection = connection
        self._service = service
        self._queue: asyncio.Queue[bytes | RequestError | ConnectionClosed | None]
        self._queue = asyncio.Queue(1)
        self._over = False

    async def __aenter__(self) -> Self:
        self._pump = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._pump.cancel()
        await asyncio.gather(self._pump, return_exceptions=True)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        item = None if self._over else await self._queue.get()
        if item is None:
            self._over = True
            raise StopAsyncIteration
        if isinstance(item, Exception):
            raise item
        return item

    async def _read(self) -> None:
        try:
            await self._receive()
            await self._queue.put(None)
        except (RequestError, ConnectionClosed) as error:
            await self._queue.put(error)

    async def _receive(self) -> None:
        size, limit = 0, self._service.settings.server.websocket.max_size
        message = self._connection.recv_streaming()
        while (chunk := await self._next(aiter(message))) is not None:
            size += len(chunk)
            if isinstance(chunk, str):
                raise NotAudio("send one binary message, the audio file", "not_binary")
            if limit is not None and size > limit:
                raise TooLarge(f"the message is larger than {limit} bytes")
            await self._queue.put(chunk)

    async def _next(self, message: AsyncIterator[str | bytes]) -> str | bytes | None:
        async with self._service.patience():
            return await anext(message, None)
