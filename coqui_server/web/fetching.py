"""Addresses that requests name: connections to the internet and to nowhere nearer.

A request could otherwise make this server read what only this server can reach: other services of
the machine, its network, the metadata of a cloud (server-side request forgery, CWE-918).
"""

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from ipaddress import ip_network

import httpcore
import httpx

from coqui_server.exceptions import BadRequest, Forbidden
from coqui_server.networks import plain, within

_MOST_REDIRECTS = 5

_TRANSLATED = (ip_network("64:ff9b::/96"), ip_network("2002::/16"), ip_network("2001::/32"))
"""Addresses of IPv6 that stand for any of IPv4: NAT64 (RFC 6052), 6to4 (RFC 3056), Teredo."""


def public(address: str) -> bool:
    """Whether all of the internet can reach an address, by IANA's registries."""
    found = plain(address.partition("%")[0])
    return found.is_global and not found.is_multicast and not within(str(found), _TRANSLATED)


class _Internet(httpcore.AsyncNetworkBackend):
    """Connects to public addresses only. A name is looked up here, and the connection made to what
    was found, as a second look-up could give another address (DNS rebinding)."""

    def __init__(self) -> None:
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [str(where[0]) for *_, where in found]
        if not all(map(public, addresses)):
            raise Forbidden("the address is not of the internet; send the file itself")
        return await self._network.connect_tcp(
            addresses[0], port, timeout, local_address, socket_options
        )

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


def internet() -> httpcore.AsyncConnectionPool:
    """Connections to public addresses; others raise Forbidden. Use as an async context manager."""
    return httpcore.AsyncConnectionPool(network_backend=_Internet())


async def fetched(address: str, patience: float) -> AsyncGenerator[bytes, None]:
    """The bytes of the file at an address, as they come. Close it to stop early.

    Args:
        patience: seconds for which to wait for the next of them.

    Raises:
        BadRequest: it is no address of the web, or there is no file.
        Forbidden: it is not public.
    """
    async with internet() as pool:
        try:
            async with _opened(pool, web_address(address), patience) as response:
                async for chunk in response.aiter_stream():
                    yield chunk
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise _unreadable(type(error).__name__) from error
        except (httpcore.TimeoutException, UnicodeError) as error:
            raise _unreadable(f"nothing came for {patience:g} s") from error


@asynccontextmanager
async def _opened(
    pool: httpcore.AsyncConnectionPool, url: httpx.URL, patience: float
) -> AsyncIterator[httpcore.Response]:
    waits = dict.fromkeys(("connect", "read", "write", "pool"), patience)
    for _ in range(_MOST_REDIRECTS):
        request = pool.stream(
            "GET",
            str(url.copy_with(fragment=None)),
            headers={"Accept-Encoding": "identity"},
            extensions={"timeout": waits},
        )
        async with request as response:
            if response.status == 200:
                yield response
                return
            location = _header(response, b"location")
            if not 300 <= response.status < 400 or location is None:
                raise _unreadable(f"the answer is {response.status}")
            url = web_address(str(url.join(location)))
    raise _unreadable(f"there are more than {_MOST_REDIRECTS} redirects")


def _header(response: httpcore.Response, name: bytes) -> str | None:
    values = (value for key, value in response.headers if key.lower() == name)
    found = next(values, None)
    return None if found is None else found.decode("latin-1")


def web_address(address: str) -> httpx.URL:
    """An address of the web. Raises BadRequest for any other."""
    try:
        url = httpx.URL(address)
        usable = url.scheme in ("http", "https") and url.host and (url.port or 1) < 65536
    except (httpx.InvalidURL, UnicodeError) as wrong:
        raise _unreadable("it is no address of the web") from wrong
    if not usable:
        raise _unreadable("it is no address of the web")
    return url


def _unreadable(reason: str) -> BadRequest:
    """Without the address, which may have a key in it."""
    return BadRequest(f"the file cannot be fetched: {reason}")
