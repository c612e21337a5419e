"""The settings of the port for Wyoming, the protocol of Home Assistant's voice services."""

from ipaddress import ip_network

from pydantic import Field, IPvAnyNetwork

from coqui_server.config.section import Section


class WyomingSettings(Section):
    port: int | None = Field(
        None, ge=0, le=65535, description="a port such as 10300, 0 for any free one, or null"
    )
    """The TCP port of the Wyoming protocol; null switches it off."""
    host: str = Field("127.0.0.1", min_length=1, description="an address of this machine")
    """The address to listen on; 0.0.0.0 for all addresses of this machine."""
    allow: tuple[IPvAnyNetwork, ...] = Field(
        (ip_network("127.0.0.0/8"), ip_network("::1")),
        description='the networks that may connect, such as ["127.0.0.0/8", "192.168.1.0/24"]',
    )
    """The networks that may connect. The protocol has no sign-in, so nothing else protects the
    port, also where signing in is required."""
    announce: bool = Field(False, description="true or false")
    """The port is announced in the local network (mDNS), where Home Assistant finds it. Needs the
    package zeroconf."""
