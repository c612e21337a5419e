"""Who asks, and what they may see."""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from starlette.requests import cookie_parser
from websockets.typing import Subprotocol

from coqui_server.exceptions import ConfigError, Forbidden, NotSignedIn
from coqui_server.settings import Settings
from coqui_server.store import Store
from coqui_server.store.ownership import EVERYBODY, Asker
from coqui_server.store.tables import UserRow
from coqui_server.store.users import PREFIX, Users
from coqui_server.web import cookie
from coqui_server.web.cookie import Cookies

SAFE = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing (RFC 9110 section 9.2.1)."""

SUBPROTOCOL = Subprotocol("bearer")
"""What a browser offers before its token: `new WebSocket(address, ["bearer", token])`."""

_FORM = "application/x-www-form-urlencoded"


class Access:
    """Finds out who asks, over HTTP and before a WebSocket.

    Attributes:
        users, cookies: None where nobody has to sign in.
    """

    def __init__(self, users: Users | None, cookies: Cookies | None, origins: tuple[str, ...]):
        self.users = users
        self.cookies = cookies
        self._origins = origins

    async def asker(self, headers: Mapping[str, str], query: str) -> Asker:
        """Who sends these headers (names in small letters) and this query.

        A token counts before a cookie: `Authorization: Bearer`, `?token=`, a subprotocol.

        Raises:
            NotSignedIn: nobody, or nobody we know.
        """
        if self.users is None:
            return Asker(None, EVERYBODY)
        token = _token(headers, query)
        if token is not None:
            user = await self.users.of_token(token)
        else:
            user = await self._of_cookie(headers)
        if user is None:
            wrong = "you have to sign in" if token is None else "no token of anybody's"
            raise NotSignedIn(wrong)
        return Asker(user.name, EVERYBODY if user.admin else user.name)

    def proof(self, headers: Mapping[str, str], query: str) -> str | None:
        """What has to come with changes, if it is a cookie that says who asks."""
        found = _cookie(headers)
        if self.cookies is None or found is None or _token(headers, query) is not None:
            return None
        return self.cookies.proof(found)

    async def _of_cookie(self, headers: Mapping[str, str]) -> UserRow | None:
        found = _cookie(headers)
        assert self.users is not None
        assert self.cookies is not None
        if found is None or not self._same_origin(headers):
            return None
        name = self.cookies.name(found)
        user = await self.users.get(name) if name else None
        return user if user and self.cookies.fits(found, user) else None

    def _same_origin(self, headers: Mapping[str, str]) -> bool:
        """Whether a page of this very port asks: browsers send cookies to all ports of a host."""
        origin = headers.get("origin")
        if origin is None or origin in self._origins:
            return True
        try:
            return urlsplit(origin).netloc == headers.get("host")
        except ValueError:
            return False


def opened(settings: Settings, store: Store | None) -> Access:
    """As `auth` has it.

    Raises:
        ConfigError: there is nowhere to keep accounts.
    """
    check(settings)
    if not settings.auth.required or store is None:
        return Access(None, None, settings.server.origins)
    cookies = Cookies(cookie.secret(settings.store.path), settings.auth.age)
    return Access(store.users, cookies, settings.server.origins)


def check(settings: Settings) -> None:
    """Whether accounts can be kept where they are required.

    Raises:
        ConfigError: they cannot.
    """
    if settings.auth.required and not settings.store.enabled:
        problem = "found true, allowed with store.enabled: accounts are kept in the store"
        raise ConfigError("auth.required", problem)


def _cookie(headers: Mapping[str, str]) -> str | None:
    return cookie_parser(headers.get("cookie", "")).get(cookie.NAME)


def _token(headers: Mapping[str, str], query: str) -> str | None:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    if given := parse_qs(query).get("token"):
        return given[0]
    offered = [name.strip() for name in headers.get("sec-websocket-protocol", "").split(",")]
    return next((name for name in offered if name.startswith(PREFIX)), None)


_BEARER = HTTPBearer(auto_error=False, description="a token from the account's page")
"""For the reference of the API, so that requests can be tried there; the reading is ours."""


async def _asking(request: Request, _: Annotated[object, Depends(_BEARER)]) -> Asker:
    access: Access = request.app.state.access
    query = request.url.query
    asker = await access.asker(request.headers, query)
    proof = access.proof(request.headers, query)
    if proof is not None and request.method not in SAFE:
        given = request.headers.get("x-csrf-token")
        if given is None and request.headers.get("content-type", "").startswith(_FORM):
            given = str((await request.form()).get("csrf"))
        if given != proof:
            raise Forbidden("not from a page of ours: X-CSRF-Token is missing or wrong")
    request.state.asker, request.state.csrf = asker, proof
    return asker


async def _administrating(asker: "Asking") -> Asker:
    if not asker.sees_all:
        raise Forbidden("only administrators may do that")
    return asker


Asking = Annotated[Asker, Depends(_asking)]
"""Who asks. With it, a route is for those who signed in, where somebody has to."""

SIGNED_IN, ADMINISTRATOR = Depends(_asking), Depends(_administrating)
"""For routers whose routes do not care who it is."""
