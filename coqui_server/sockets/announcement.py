"""Announces the port of Wyoming in the local network, where Home Assistant looks for it.

Multicast DNS (RFC 6762) with service discovery (RFC 6763), by the package `zeroconf`.
"""

import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address

from coqui_server import extras
from coqui_server.config.wyoming import WyomingSettings
from coqui_server.exceptions import ConfigError
from coqui_server.protocols.wyoming import PROGRAM
from coqui_server.sockets.wyoming_port import WyomingPort

_TYPE = "_wyoming._tcp.local."
_MULTICAST = ("224.0.0.251", 5353)
_LONGEST_NAME = 63
"""Bytes of a label (RFC 6763 section 4.1.1)."""

_log = logging.getLogger(__name__)


def check(settings: WyomingSettings) -> None:
    """Check that the port can be announced, where that is wanted.

    Raises:
        ConfigError: a package is missing.
    """
    for problem in extras.missing("zeroconf") if settings.announce else ():
        raise problem


@asynccontextmanager
async def announced(port: WyomingPort, settings: WyomingSettings) -> AsyncIterator[None]:
    """Announce an open port for the time of the block, if `wyoming.announce` says so.

    Raises:
        ConfigError: that needs a package or a network that is not there.
    """
    check(settings)
    if not settings.announce:
        yield
        return
    from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

    host, number = port.sockets[0].getsockname()[:2]
    name = f"{PROGRAM} {socket.gethostname()}".encode()[:_LONGEST_NAME].decode(errors="ignore")
    try:
        address = _reachable(host)
        responder = AsyncZeroconf(interfaces=[address])
    except OSError as error:
        raise ConfigError("wyoming.announce", f"found true, but there is {error}") from error
    service = AsyncServiceInfo(_TYPE, f"{name}.{_TYPE}", parsed_addresses=[address], port=number)
    try:
        await (await responder.async_register_service(service, allow_name_change=True))
        _log.info("announced as %s, at %s", service.name, address)
        yield
    finally:
        await responder.async_close()


def _reachable(host: str) -> str:
    """The address to announce; for a port on all addresses, that from which multicast leaves."""
    if not ip_address(host).is_unspecified:
        return host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(_MULTICAST)
        return str(probe.getsockname()[0])
