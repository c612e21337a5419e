"""Which names of this host a request may ask for (the `Host` header).

A page of any site can give its own name our address (DNS rebinding). The browser then takes us for
that site, and lets the page read all answers. Only the `Host` header shows the other name.
"""

import logging
from ipaddress import ip_address
from urllib.parse import urlsplit

from coqui_server.config.settings import Settings
from coqui_server.exceptions import ForeignHost
from coqui_server.networks import plain

_log = logging.getLogger(__name__)

_NOWHERE = ("0.0.0.0", "::")  # noqa: S104
"""Addresses to listen on, which no request asks for."""


class Hosts:
    """The names and addresses of this host: loopback, where it listens, and what is configured."""

    def __init__(self, settings: Settings) -> None:
        own = (settings.server.http.host, settings.web.host, settings.rtp.host)
        named = (*own, settings.rtp.advertise or "", *settings.server.hosts)
        self._names = {_folded(name) for name in named if name and name not in _NOWHERE}
        self._names.add("localhost")

    def check(self, host: str | None, local: str) -> None:
        """Check that a request asks for this host.

        Args:
            host: from its `Host` header. Only programs leave it out; every browser sends it.
            local: the address at which the connection arrived.

        Raises:
            ForeignHost: it asks for another one. The log says what would let it in.
        """
        if host is None or "*" in self._names:
            return
        name = _folded(_name(host))
        if name not in self._names and name != _folded(local) and not _loopback(name):
            allowing = f'server.hosts = ["{name}"] lets it in' if name else "it is not valid"
            _log.warning("refused a request for the host %.100r (421); %s", host, allowing)
            raise ForeignHost(host)


def _name(host: str) -> str:
    """The host without its port; "" if it is not valid."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return ""
    return parts.hostname or "" if parts.netloc == host and "@" not in host else ""


def _folded(name: str) -> str:
    """One form of a name or an address: IPv6 has many, and a name may end with a dot."""
    name = name.lower().strip("[]").removesuffix(".").partition("%")[0]
    try:
        return str(plain(name))
    except ValueError:
        return name


def _loopback(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
