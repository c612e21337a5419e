"""Finds the principal of a request: by token or by cookie."""

from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from starlette.requests import cookie_parser
from websockets.typing import Subprotocol

from coqui_server.auth import cookies
from coqui_server.auth.cookies import Cookies
from coqui_server.config.settings import Settings
from coqui_server.exceptions import ConfigError, NotSignedIn
from coqui_server.principal import EVERYBODY, Principal
from coqui_server.store import Store
from coqui_server.store.tables import UserRow
from coqui_server.store.users import PREFIX, Users

SUBPROTOCOL = Subprotocol("bearer")
"""Offered by a browser before its token: `new WebSocket(address, ["bearer", token])`."""


class Access:
    """Finds the principal of an HTTP request or a WebSocket handshake.

    Attributes:
        users, cookies: None when no sign-in is required.
    """

    def __init__(self, users: Users | None, cookies: Cookies | None, origins: tuple[str, ...]):
        self.users = users
        self.cookies = cookies
        self._origins = origins

    async def principal(self, headers: Mapping[str, str], query: str) -> Principal:
        """The principal of a request with these headers (names in lower case) and this query.

        A token counts before a cookie. It comes as `Authorization: Bearer`, as `?token=`, or as a
        subprotocol.

        Raises:
            NotSignedIn: there is no token and no cookie, or one that is not valid.
        """
        if self.users is None:
            return Principal(None, EVERYBODY)
        token = _token(headers, query)
        if token is not None:
            user = await self.users.of_token(token)
        else:
            user = await self._of_cookie(headers)
        if user is None:
            problem = "you have to sign in" if token is None else "the token is not valid"
            raise NotSignedIn(problem)
        return Principal(user.name, EVERYBODY if user.admin else user.name)

    def proof(self, headers: Mapping[str, str], query: str) -> str | None:
        """The CSRF token that a change must have, if the request is signed in by a cookie."""
        cookie = _cookie(headers)
        if self.cookies is None or cookie is None or _token(headers, query) is not None:
            return None
        return self.cookies.proof(cookie)

    async def _of_cookie(self, headers: Mapping[str, str]) -> UserRow | None:
        cookie = _cookie(headers)
        assert self.users is not None
        assert self.cookies is not None
        if cookie is None or not self._same_origin(headers):
            return None
        name = self.cookies.name(cookie)
        user = await self.users.get(name) if name else None
        return user if user and self.cookies.fits(cookie, user) else None

    def _same_origin(self, headers: Mapping[str, str]) -> bool:
        """Whether the page is from this port: browsers send cookies to all ports of a host."""
        origin = headers.get("origin")
        if origin is None or origin in self._origins:
            return True
        try:
            return urlsplit(origin).netloc == headers.get("host")
        except ValueError:
            return False


def opened(settings: Settings, store: Store | None) -> Access:
    """The access rules of these settings.

    Raises:
        ConfigError: accounts are required, and nothing is stored.
    """
    check(settings)
    if not settings.auth.required or store is None:
        return Access(None, None, settings.server.origins)
    signed = Cookies(cookies.secret(settings.store.path), settings.auth.age)
    return Access(store.users, signed, settings.server.origins)


def check(settings: Settings) -> None:
    """Check that accounts can be stored where they are required.

    Raises:
        ConfigError: they cannot.
    """
    if settings.auth.required and not settings.store.enabled:
        problem = "found true, allowed with store.enabled: accounts are kept in the store"
        raise ConfigError("auth.required", problem)


def _cookie(headers: Mapping[str, str]) -> str | None:
    return cookie_parser(headers.get("cookie", "")).get(cookies.NAME)


def _token(headers: Mapping[str, str], query: str) -> str | None:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    if tokens := parse_qs(query).get("token"):
        return tokens[0]
    offered = [name.strip() for name in headers.get("sec-websocket-protocol", "").split(",")]
    return next((name for name in offered if name.startswith(PREFIX)), None)
