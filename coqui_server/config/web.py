"""The settings of the web console."""

from pydantic import Field

from coqui_server.config.section import Section


class WebSettings(Section):
    """The HTTP side: pages, REST, and the socket protocols once more."""

    enabled: bool = Field(True, description="true or false")
    """The console, REST and the socket protocols are served over HTTP."""
    host: str = Field("127.0.0.1", min_length=1, description="an address of this machine")
    """The address to listen on; 0.0.0.0 for all addresses of this machine."""
    port: int = Field(8000, ge=0, le=65535, description="a port, 1 to 65535, or 0 for any free one")
    """The TCP port of the console."""
    fetch: bool = Field(False, description="true or false")
    """Requests to `/v1/listen` may name the address of a file instead of sending it, and the server
    fetches it. Addresses that are not of the internet are refused."""
    callbacks: bool = Field(False, description="true or false")
    """Requests to `/v1/listen` may name an address on the internet to which the answer is posted.
    It is signed with `rtp.webhook.secret`."""
