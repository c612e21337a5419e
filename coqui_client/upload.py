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
from coqui_client.file_protocols import BINARY, FileProtocol
from coqui_client.progress import Progress
from coqui_client.reply import Reply
from coqui_client.retry import RETRIES, retried

FRAGMENT_BYTES = 64 * 1024


async def transcribe(
    path: Path,
    url: str,
    progress: Progress,
    retries: int = RETRIES,
    protocol: FileProtocol = BINARY,
) -> Reply:
    """Send the file at `path` to the daemon at `url`, again up to `retries` times if it is busy.

    The file is read as it is sent; memory does not grow with its size.

    Raises:
        OSError: the file cannot be opened or read.
        UnreachableError: nothing answers.
        BusyError: still no room after the last try.
        RefusedError: the daemon cannot serve this file.
        LostError: the connection ended without a reply.
        ReplyError: the reply is not a transcript.
    """
    return await retried(lambda: _attempt(path, url, progress, protocol), progress, retries)


async def _attempt(path: Path, url: str, progress: Progress, protocol: FileProtocol) -> Reply:
    with await asyncio.to_thread(path.open, "rb") as file:
        # During an upload a late pong is no sign of death; see `_Upload`.
        async with connected(url, ping_timeout=None) as socket:
            try:
                return await _exchange(socket, file, progress, protocol)
            except BaseException:
                # A closing handshake would wait behind the part of the file not read by the daemon.
                socket.transport.abort()
                raise


async def _exchange(
    socket: ClientConnection, file: BinaryIO, progress: Progress, protocol: FileProtocol
) -> Reply:
    upload = _Upload(socket, file, progress, protocol)
    sending = asyncio.create_task(upload.run())
    try:
        # Read at once, not after the upload: a refusal may come in the middle of it.
        while (reply := protocol.read(await socket.recv())) is None:
            pass
        return reply
    except ConnectionClosed as closed:
        raise upload.failure or without_reply(closed) from closed
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


class _Upload:
    """The sending side. When it fails, it aborts the connection, which ends recv().

    The daemon reads no faster than it transcribes, and a ping queues behind the megabytes the
    kernels hold. So pings have no deadline until the first ping after the file is
    answered: then the daemon has read all of it. Until then TCP tells whether it is alive.

    Attributes:
        failure: why the connection was cut, if it was.
    """

    def __init__(
        self, socket: ClientConnection, file: BinaryIO, progress: Progress, protocol: FileProtocol
    ) -> None:
        self._socket = socket
        self._file = file
        self._progress = progress
        self._protocol = protocol
        self.failure: OSError | LostError | None = None

    async def run(self) -> None:
        """Send the file, then show the wait and check the connection until cancelled."""
        try:
            await self._socket.send(self._protocol.message(self._fragments()))
        except OSError as failure:
            self._cut(failure)
            return
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._progress.wait("transcribing"))
            tasks.create_task(self._watch())

    async def _fragments(self) -> AsyncIterator[bytes]:
        self._progress.begin(os.fstat(self._file.fileno()).st_size)
        # For an empty file too: without a fragment websockets sends no message at all.
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
