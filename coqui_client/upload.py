"""One file to the daemon and its transcript back, over a WebSocket (RFC 6455)."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from coqui_client.connection import PING_SECONDS, PONG_SECONDS, connected, without_reply
from coqui_client.exceptions import LostError
from coqui_client.patience import RETRIES, persistently
from coqui_client.progress import Progress
from coqui_client.reply import Reply
from coqui_client.wire import BINARY, Wire

FRAGMENT_BYTES = 64 * 1024


async def transcribe(
    path: Path, url: str, progress: Progress, retries: int = RETRIES, wire: Wire = BINARY
) -> Reply:
    """Send the file at `path` to the daemon at `url`, again up to `retries` times if it is busy.

    The file is read as it is sent; memory does not grow with its size.

    Raises:
        OSError: the file cannot be opened or read.
        UnreachableError: nobody answers.
        BusyError: still no room after the last try.
        RefusedError: the daemon cannot serve this file.
        LostError: the connection ended without a reply.
        ReplyError: the reply is not a transcript.
    """
    return await persistently(lambda: _attempt(path, url, progress, wire), progress, retries)


async def _attempt(path: Path, url: str, progress: Progress, wire: Wire) -> Reply:
    with await asyncio.to_thread(path.open, "rb") as file:
        # During an upload a late pong is no sign of death; see `_Upload`.
        async with connected(url, ping_timeout=None) as socket:
            try:
                return await _exchange(socket, file, progress, wire)
            except BaseException:
                # A closing handshake would queue behind what the daemon has not read of the file.
                socket.transport.abort()
                raise


async def _exchange(
    socket: ClientConnection, file: BinaryIO, progress: Progress, wire: Wire
) -> Reply:
    upload = _Upload(socket, file, progress, wire)
    sending = asyncio.create_task(upload.run())
    try:
        # At once, not after the upload: a refusal may come in the middle of it.
        while (reply := wire.read(await socket.recv())) is None:
            pass
        return reply
    except ConnectionClosed as closed:
        raise upload.failure or without_reply(closed) from closed
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


class _Upload:
    """The sending side; it cuts the connection, which ends recv(), when there is no hope.

    The daemon reads no faster than it transcribes, and a ping queues behind the megabytes the
    kernels hold. So a daemon is not held to answer pings in time before it has answered one sent
    after the file: then it has read all of it. Until then TCP tells whether it is there.

    Attributes:
        failure: why the connection was cut, if it was.
    """

    def __init__(
        self, socket: ClientConnection, file: BinaryIO, progress: Progress, wire: Wire
    ) -> None:
        self._socket = socket
        self._file = file
        self._progress = progress
        self._wire = wire
        self.failure: OSError | LostError | None = None

    async def run(self) -> None:
        """Send the file, then show and watch over the wait until cancelled."""
        try:
            await self._socket.send(self._wire.message(self._fragments()))
        except OSError as failure:
            self._cut(failure)
            return
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._progress.wait("transcribing"))
            tasks.create_task(self._watch())

    async def _fragments(self) -> AsyncIterator[bytes]:
        self._progress.begin(os.fstat(self._file.fileno()).st_size)
        # Of an empty file too: without a fragment websockets sends no message at all.
        yield await self._read()
        while fragment := await self._read():
            yield fragment

    async def _read(self) -> bytes:
        fragment = await asyncio.to_thread(self._file.read, FRAGMENT_BYTES)
        self._progress.sent(len(fragment))
        return fragment

    async def _watch(self) -> None:
        await (await self._socket.ping())
        while True:
            await asyncio.sleep(PING_SECONDS)
            try:
                async with asyncio.timeout(PONG_SECONDS):
                    await (await self._socket.ping())
            except TimeoutError:
                self._cut(LostError(f"the daemon has not answered for {PONG_SECONDS:.0f} s"))

    def _cut(self, failure: OSError | LostError) -> None:
        self.failure = failure
        self._socket.transport.abort()
