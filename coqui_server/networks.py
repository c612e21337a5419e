"""Whether an address is in a network, in whichever form it is written."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address


def plain(text: str) -> IPv4Address | IPv6Address:
    """An address; the one of IPv4 that an address of IPv6 means, as ports that take both give it.

    Raises:
        ValueError: it is no address.
    """
    address = ip_address(text)
    return getattr(address, "ipv4_mapped", None) or address


def within(address: str, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    """Whether an address is in any of these networks. What is no address is in none."""
    try:
        found = plain(address)
    except ValueError:
        return False
    return any(found in network for network in networks)
