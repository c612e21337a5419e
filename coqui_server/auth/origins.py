"""Which web pages may connect (the `Origin` header)."""

from collections.abc import Mapping
from urllib.parse import urlsplit


def foreign_origin(headers: Mapping[str, str], origins: tuple[str, ...]) -> str | None:
    """The origin of a web page that is neither of this host nor named in `server.origins`.

    Browsers let any page open a WebSocket to any host, or post a form to it, also on this machine.
    They send the page's origin as `Origin` (RFC 6455 section 10.2). Other clients send none.
    """
    origin = headers.get("origin")
    if origin is None or origin in origins or "*" in origins:
        return None
    try:
        host = urlsplit(f"//{headers.get('host', '')}").hostname
        return None if urlsplit(origin).hostname == host else origin
    except ValueError:
        return origin
