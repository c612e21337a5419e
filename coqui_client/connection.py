"""Opening a WebSocket to the daemon (RFC 6455), and which address serves what."""

import contextlib
import ipaddress
import os
from collections.abc import AsyncIterator
from http import HTTPStatus
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from coqui_client.exceptions import BusyError, LostError, RefusedError, UnreachableError
from coqui_client.reply import BUSY

API_PATH = "/api/v1/stt"
EVENTS_PATH = "/ws/events"

TOKEN = "COQUI_TOKEN"  # noqa: S105
"""The environment's variable with the token; a list of processes does not show it."""

PING_SECONDS = 20.0
PONG_SECONDS = 60.0
# What was asked for is there by then; the closing handshake is a courtesy.
CLOSE_SECONDS = 2.0

_GOING_AWAY, _TRY_AGAIN_LATER = 1001, 1013
_MEANINGS = {
    1003: "the daemon does not take this kind of data",
    1008: "the daemon gave up waiting for data",
    1009: "the file is larger than the daemon allows",
    1011: "the daemon failed",
    1012: "the daemon is restarting",
    1013: "the daemon is busy",
}


def events_url(url: str) -> str:
    """Where the daemon of a whole-file address tells what it hears of telephone calls."""
    parts = urlsplit(located(url, EVENTS_PATH))
    query = f"{parts.query}&kind=rtp" if parts.query else "kind=rtp"
    return parts._replace(query=query).geturl()


def located(url: str, path: str) -> str:
    """Where the daemon of a whole-file address serves another protocol, the one at `path`.

    A path that does not end like the whole-file one is kept as it is.
    """
    parts = urlsplit(url)
    prefix = parts.path.removesuffix(API_PATH)
    return url if prefix == parts.path else parts._replace(path=f"{prefix}{path}").geturl()


@contextlib.asynccontextmanager
async def connected(
    url: str, ping_timeout: float | None = PONG_SECONDS
) -> AsyncIterator[ClientConnection]:
    """An open WebSocket at `url`, which a ping not answered in `ping_timeout` seconds ends.

    It brings the token that the environment has as `TOKEN`.

    Raises:
        UnreachableError: nobody answers.
        RefusedError: it is a server, but no WebSocket.
    """
    token = os.environ.get(TOKEN)
    connection = connect(
        url,
        additional_headers={"Authorization": f"Bearer {token}"} if token else None,
        compression=None,
        max_size=None,
        proxy=None if _is_loopback(url) else True,
        ping_interval=PING_SECONDS,
        ping_timeout=ping_timeout,
        close_timeout=CLOSE_SECONDS,
    )
    async with contextlib.AsyncExitStack() as stack:
        try:
            socket = await stack.enter_async_context(connection)
        except InvalidStatus as refused:
            status = refused.response.status_code
            text = f"{url} answers HTTP {status}, not WebSocket"
            if status == HTTPStatus.UNAUTHORIZED:
                text = f"the daemon wants a token of its account page; run: export {TOKEN}=…"
            raise RefusedError(text, str(status)) from refused
        # ImportError: the environment names a SOCKS proxy, for which websockets needs
        # python-socks.
        except (OSError, InvalidHandshake, ImportError) as failed:
            raise UnreachableError(" ".join(str(failed).split())) from failed
        yield socket


def without_reply(closed: ConnectionClosed) -> RefusedError | LostError:
    """What it means that the daemon closed the connection before it said all."""
    if closed.rcvd is None:
        return LostError("the connection was lost before the daemon replied")
    code, reason = int(closed.rcvd.code), closed.rcvd.reason
    if code == _TRY_AGAIN_LATER:
        return BusyError(reason or _MEANINGS[code], BUSY)
    if code in _MEANINGS:
        return RefusedError(f"{_MEANINGS[code]}{f' ({reason})' if reason else ''}", str(code))
    what = "is shutting down" if code == _GOING_AWAY else f"closed the connection ({code})"
    return LostError(f"the daemon {what} and sent no reply")


def _is_loopback(url: str) -> bool:
    """Whether `url` is this machine; a proxy of the environment could not reach it."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
