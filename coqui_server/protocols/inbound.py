"""Messages of a bounded size, however many fragments they come in."""

from websockets.asyncio.server import ServerConnection

from coqui_server.exceptions import TooLarge


async def message(connection: ServerConnection, limit: int) -> str | bytes:
    """The next message, of at most `limit` characters or bytes.

    Raises:
        TooLarge: it is longer.
        ConnectionClosed: there is none.
    """
    fragments: list[str | bytes] = []
    size = 0
    async for fragment in connection.recv_streaming():
        size += len(fragment)
        if size > limit:
            raise TooLarge(f"a message may have {limit} bytes here")
        fragments.append(fragment)
    if fragments and isinstance(fragments[0], bytes):
        return b"".join(part for part in fragments if isinstance(part, bytes))
    return "".join(part for part in fragments if isinstance(part, str))
