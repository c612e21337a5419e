"""What every answer tells the browser not to do, and what pages of other sites may not ask."""

import json
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coqui_server.auth.origins import foreign_origin
from coqui_server.web.principals import SAFE

_POLICY: Mapping[str, str] = {
    "default-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "object-src": "'none'",
}

_REFERENCE: Mapping[str, str] = {
    **_POLICY,
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "worker-src": "'self' blob:",
}
"""For the pages of the API's reference, which are other people's programs: both write styles into
the page, one has pictures in its style sheet, the other searches in a worker it makes up."""

REFERENCE = ("/docs", "/redoc")

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # With no-referrer browsers say "Origin: null" of our own forms (Fetch, section 3.1).
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
}


class Guard:
    """ASGI middleware: the headers above, and no changes by pages of other sites.

    A form of any page may be posted to any address, and the browser says in `Origin` whose it is.
    """

    def __init__(self, app: ASGIApp, origins: tuple[str, ...]) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = _policy(scope["path"])
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        foreign = foreign_origin(headers, self._origins) or _other_site(headers)
        if foreign and scope["method"] not in SAFE:
            await _refuse(guarded, foreign)
        else:
            await self._app(scope, receive, guarded)


def _other_site(headers: Headers) -> str | None:
    """Browsers leave `Origin` out now and then, but not this."""
    unnamed = headers.get("origin") is None and headers.get("sec-fetch-site") == "cross-site"
    return "another site" if unnamed else None


def _policy(path: str) -> str:
    policy = _REFERENCE if path in REFERENCE else _POLICY
    return "; ".join(f"{name} {value}" for name, value in policy.items())


async def _refuse(send: Send, foreign: str) -> None:
    message = f"pages of {foreign} may change nothing here; server.origins names those that may"
    body = json.dumps({"message": message, "code": "foreign_origin"}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        # The body of the request was not read; what follows it on this connection is not known.
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})
