"""Security headers of every response, and the refusal of foreign requests."""

import json
from collections.abc import Mapping
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coqui_server.auth.arrivals import Arrivals
from coqui_server.auth.origins import foreign_origin
from coqui_server.auth.proxies import Arrival
from coqui_server.config.settings import Settings
from coqui_server.exceptions import ForeignHost
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
"""For the API reference pages, which are other programs: both write styles into the page, one has
pictures in its style sheet, the other searches in a worker from a blob."""

REFERENCE = ("/docs", "/redoc")

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # With no-referrer, browsers send "Origin: null" for our own forms (Fetch, section 3.1).
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
}


class Guard:
    """ASGI middleware: sets the headers above, refuses requests for other hosts and changes by
    pages of other sites, and passes on all others as their client sent them.

    Any page may post a form to any address; the browser sends the page's origin in `Origin`.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._arrivals = Arrivals(settings)
        self._origins = settings.server.origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = _policy(path)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope).items()
        try:
            arrival = self._arrivals.arrival(scope["client"][0], scope["server"][0], headers, path)
        except ForeignHost as refusal:
            await _refuse(guarded, refusal.http_status, str(refusal), refusal.code)
            return
        path = arrival.path
        foreign = foreign_origin(arrival.headers, self._origins) or _other_site(arrival.headers)
        if foreign and scope["method"] not in SAFE:
            message = f"pages of {foreign} may not change anything here; see server.origins"
            await _refuse(guarded, HTTPStatus.FORBIDDEN, message, "foreign_origin")
        else:
            await self._app(_as_sent(scope, arrival), receive, guarded)


def _as_sent(scope: Scope, arrival: Arrival) -> Scope:
    """The scope of a request as its client sent it (ASGI HTTP, "Connection scope")."""
    host = arrival.headers.get("host", "").encode("latin-1")
    headers = [(name, host if name == b"host" else value) for name, value in scope["headers"]]
    return {
        **scope,
        "client": (arrival.address, scope["client"][1]),
        "scheme": arrival.scheme or scope["scheme"],
        "root_path": arrival.prefix,
        "path": f"{arrival.prefix}{arrival.path}",
        "headers": headers,
    }


def _other_site(headers: Mapping[str, str]) -> str | None:
    """Browsers sometimes leave out `Origin`, but not `Sec-Fetch-Site`."""
    unnamed = headers.get("origin") is None and headers.get("sec-fetch-site") == "cross-site"
    return "another site" if unnamed else None


def _policy(path: str) -> str:
    policy = _REFERENCE if path in REFERENCE else _POLICY
    return "; ".join(f"{name} {value}" for name, value in policy.items())


async def _refuse(send: Send, status: int, message: str, code: str) -> None:
    body = json.dumps({"message": message, "code": code}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        # The request body was not read, so the connection cannot be used for another request.
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
