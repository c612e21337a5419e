"""Opening a WebSocket to the daemon (RFC 6455), and which address serves what."""

import contextlib
import ipaddress
import os
from collections.abc import AsyncIterator
from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from coqui_client.exceptions import BusyError, LostError, RefusedError, UnreachableError
from coqui_client.reply import BUSY

API_PATH = "/api/v1/stt"
EVENTS_PATH = "/ws/events"

TOKEN = "COQUI_TOKEN"  # noqa: S105
"""The environment variable with the token; unlike an argument, process lists do not show it."""

PING_SECONDS = 20.0
PONG_SECONDS = 60.0
# The reply is here by then, so the closing handshake need not be waited for.
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
    """The address of the events of calls, at the daemon that has this whole-file address."""
    parts = urlsplit(located(url, EVENTS_PATH))
    query = f"{parts.query}&kind=rtp" if parts.query else "kind=rtp"
    return parts._replace(query=query).geturl()


def located(url: str, path: str) -> str:
    """The address of the protocol at `path`, at the daemon that has this whole-file address.

    A path that does not end like the whole-file one is kept as it is.
    """
    parts = urlsplit(url)
    prefix = parts.path.removesuffix(API_PATH)
    return url if prefix == parts.path else parts._replace(path=f"{prefix}{path}").geturl()


def asking(url: str, **wishes: str | None) -> str:
    """The address with these in its query, instead of what it says there; None is left out."""
    added = [(name, value) for name, value in wishes.items() if value]
    if not added:
        return url
    parts = urlsplit(url)
    kept = [pair for pair in parse_qsl(parts.query, True) if not wishes.get(pair[0])]
    return parts._replace(query=urlencode(kept + added)).geturl()


@contextlib.asynccontextmanager
async def connected(
    url: str, ping_timeout: float | None = PONG_SECONDS
) -> AsyncIterator[ClientConnection]:
    """An open WebSocket at `url`, closed when a ping is not answered in `ping_timeout` seconds.

    Sends the token of the environment variable `TOKEN`.

    Raises:
        UnreachableError: nothing answers.
        RefusedError: an HTTP server answers, but not with a WebSocket.
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
                text = f"the daemon needs a token from its account page; run: export {TOKEN}=…"
            if status == HTTPStatus.REQUEST_URI_TOO_LONG:
                text = "the address is too long for the daemon: give fewer terms"
            raise RefusedError(text, str(status)) from refused
        # ImportError: the environment names a SOCKS proxy, for which websockets needs
        # python-socks.
        except (OSError, InvalidHandshake, ImportError) as failed:
            raise UnreachableError(" ".join(str(failed).split())) from failed
        yield socket


def without_reply(closed: ConnectionClosed) -> RefusedError | LostError:
    """The error for a connection that the daemon closed before its reply."""
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
    """Whether `url` is on this machine; a proxy from the environment could not reach it."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
