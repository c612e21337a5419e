"""What reverse proxies say about the requests that they pass on.

A proxy replaces the client's address, and often the host, the scheme and the path, by its own. It
tells the client's in headers. Any client can send these headers too, so that they count only from
the addresses of `server.proxies`.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from coqui_server.config.server import PREFIX, ServerSettings
from coqui_server.networks import within

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Arrival:
    """A request as its client sent it to the outermost proxy.

    Attributes:
        address: of the client.
        scheme: `http` or `https`; None if no proxy said.
        prefix: the path at which a proxy serves the daemon, such as `/speech`; "" for the root.
        path: the rest of the path.
        headers: by their names in lower case; `host` is the one that the client asked for.
    """

    address: str
    scheme: str | None
    prefix: str
    path: str
    headers: Mapping[str, str]


class Proxies:
    """The trusted proxies, and the paths at which they serve the daemon."""

    def __init__(self, settings: ServerSettings) -> None:
        self._networks = settings.proxies
        # The longest first: one may begin with another.
        self._prefixes = sorted(settings.prefixes, key=len, reverse=True)
        self._told = False

    def trusts(self, address: str) -> bool:
        """Whether this is the address of a trusted proxy."""
        return within(address, self._networks)

    def arrival(self, address: str, headers: Mapping[str, str], path: str) -> Arrival:
        """The request of a client, from what came over a connection.

        Args:
            address: of the other side of the connection.
            headers: by their names in lower case.
        """
        prefix, path = self._split(path)
        if not self.trusts(address):
            self._tell(address, headers)
            return Arrival(address, None, prefix, path, headers)
        host = _last(headers.get("x-forwarded-host", ""))
        return Arrival(
            self._client(address, headers.get("x-forwarded-for", "")),
            _scheme(_last(headers.get("x-forwarded-proto", ""))),
            _prefix(_last(headers.get("x-forwarded-prefix", ""))) or prefix,
            path,
            {**headers, "host": host} if host else headers,
        )

    def _split(self, path: str) -> tuple[str, str]:
        """The prefix of a path, "" if it has none, and the rest."""
        for prefix in self._prefixes:
            if path == prefix or path.startswith(f"{prefix}/"):
                return prefix, path.removeprefix(prefix) or "/"
        return "", path

    def _client(self, address: str, forwarded: str) -> str:
        """The last address of `X-Forwarded-For` that is no proxy; those before may be made up."""
        for text in reversed(forwarded.split(",")):
            hop = _without_port(text.strip())
            if hop is None:
                break
            address = hop
            if not self.trusts(hop):
                break
        return address

    def _tell(self, address: str, headers: Mapping[str, str]) -> None:
        """Log once that a proxy is not trusted: its operator expects that it is."""
        if not self._told and "x-forwarded-for" in headers:
            self._told = True
            _log.warning(
                "%s passes on requests of others, as a reverse proxy does, but is not trusted; "
                'server.proxies = ["%s"] does',
                address,
                address,
            )


def _last(values: str) -> str:
    """The last of several values: the nearest proxy adds its own at the end."""
    return values.rpartition(",")[2].strip()


def _scheme(value: str) -> str | None:
    return {"http": "http", "ws": "http", "https": "https", "wss": "https"}.get(value.lower())


def _prefix(value: str) -> str:
    value = value.rstrip("/")
    return value if re.fullmatch(PREFIX, value) else ""


def _without_port(hop: str) -> str | None:
    """The address of a hop, some of which have a port; None if it is not valid."""
    host = hop[1:].partition("]")[0] if hop.startswith("[") else hop
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        return str(ip_address(host))
    except ValueError:
        return None
