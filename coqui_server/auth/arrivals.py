"""Every request that arrives, on any port: from which client, for which host and path."""

from collections.abc import Iterable

from coqui_server.auth.hosts import Hosts
from coqui_server.auth.proxies import Arrival, Proxies
from coqui_server.config.settings import Settings


class Arrivals:
    """Looks at requests before anything else does."""

    def __init__(self, settings: Settings) -> None:
        self._hosts = Hosts(settings)
        self._proxies = Proxies(settings.server)

    def arrival(
        self, address: str, local: str, headers: Iterable[tuple[str, str]], path: str
    ) -> Arrival:
        """A request, from what came over a connection.

        Args:
            address: of the other side.
            local: the address at which the connection arrived.

        Raises:
            ForeignHost: it asks for another host. Where a proxy says which one the client asked
                for, both this and the proxy's own have to be ours: a page of any site can send
                what a proxy sends.
        """
        values = _joined(headers)
        arrival = self._proxies.arrival(address, values, path)
        for host in (values.get("host"), arrival.headers.get("host")):
            self._hosts.check(host, local)
        return arrival


def _joined(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Several headers of one name are one list (RFC 9110 section 5.3)."""
    values: dict[str, str] = {}
    for name, value in headers:
        name = name.lower()
        values[name] = f"{values[name]}, {value}" if name in values else value
    return values
