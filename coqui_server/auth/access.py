"""Finds the principal of a request: by token or by cookie."""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

from starlette.requests import cookie_parser
from websockets.typing import Subprotocol

from coqui_server.auth import cookies
from coqui_server.auth.cookies import Cookies
from coqui_server.auth.presence import Presence
from coqui_server.config.settings import Settings
from coqui_server.exceptions import ConfigError, NotSignedIn
from coqui_server.principal import EVERYBODY, Principal
from coqui_server.store import Store
from coqui_server.store.secrets import shared
from coqui_server.store.tables import UserRow
from coqui_server.store.tokens import PREFIX
from coqui_server.store.users import Users

SCHEMES = (Subprotocol("bearer"), Subprotocol("token"))
"""What comes before a token, in `Authorization` or as a browser's subprotocol:
`new WebSocket(address, ["bearer", token])`. Deepgram's clients say `token`."""

_OPENAI = "openai-insecure-api-key."
"""What stands before a token in the subprotocol that OpenAI's clients offer in a browser."""


class Access:
    """Finds the principal of an HTTP request or a WebSocket handshake.

    Args:
        store, cookies: None when no sign-in is required.
        origins: of `server.origins`.

    Attributes:
        presence: what principals have open.
    """

    def __init__(
        self, store: Store | None, cookies: Cookies | None, origins: tuple[str, ...]
    ) -> None:
        self.presence = Presence()
        self.cookies = cookies
        self._store = store
        self._origins = origins

    async def principal(self, headers: Mapping[str, str], query: str) -> Principal:
        """The principal of a request with these headers (names in lower case) and this query.

        A token counts before a cookie. It comes as `Authorization: Bearer` (or `Token`), as
        `?token=`, or as a subprotocol.

        Raises:
            NotSignedIn: there is no token and no cookie, or one that is not valid.
        """
        if self._store is None:
            return Principal(None, EVERYBODY)
        token = _token(headers, query)
        if token is None:
            user = await self._of_cookie(headers, self._store.users)
            return replace(_principal(user), mark=cookies.mark(user))
        found = await self._store.tokens.find(token)
        if found is None:
            raise NotSignedIn("the token is not valid")
        row, user = found
        return replace(_principal(user), token=row.id)

    async def holds(self, principal: Principal) -> bool:
        """Whether the sign-in of a principal has not ended since.

        Raises:
            StoreError: the database failed.
        """
        if self._store is None:
            return True
        if principal.token is not None:
            return await self._store.tokens.exists(principal.token)
        user = await self._store.users.get(principal.name)
        return user is not None and cookies.mark(user) == principal.mark

    def proof(self, headers: Mapping[str, str], query: str) -> str | None:
        """The CSRF token that a change must have, if the request is signed in by a cookie."""
        cookie = _cookie(headers)
        if self.cookies is None or cookie is None or _token(headers, query) is not None:
            return None
        return self.cookies.proof(cookie)

    async def _of_cookie(self, headers: Mapping[str, str], users: Users) -> UserRow:
        cookie = _cookie(headers)
        assert self.cookies is not None
        if cookie and self._same_origin(headers) and (name := self.cookies.name(cookie)):
            user = await users.get(name)
            if user and self.cookies.fits(cookie, user):
                return user
        raise NotSignedIn("you have to sign in")

    def _same_origin(self, headers: Mapping[str, str]) -> bool:
        """Whether the page is from this port: browsers send cookies to all ports of a host."""
        origin = headers.get("origin")
        if origin is None or origin in self._origins:
            return True
        try:
            return urlsplit(origin).netloc == headers.get("host")
        except ValueError:
            return False


async def opened(settings: Settings, store: Store | None) -> Access:
    """The access rules of these settings.

    Raises:
        ConfigError: accounts are required, and nothing is stored.
        StoreError: the database failed.
    """
    check(settings)
    if not settings.auth.required or store is None:
        return Access(None, None, settings.server.origins)
    secret = cookies.secret(settings.store.path)
    if store.replicas:
        secret = await shared(store.database, "cookies", secret)
    return Access(store, Cookies(secret, settings.auth.age), settings.server.origins)


def check(settings: Settings) -> None:
    """Check that accounts can be stored where they are required.

    Raises:
        ConfigError: they cannot.
    """
    if settings.auth.required and not settings.store.enabled:
        problem = "found true, allowed with store.enabled: accounts are kept in the store"
        raise ConfigError("auth.required", problem)


def _principal(user: UserRow) -> Principal:
    return Principal(user.name, EVERYBODY if user.admin else user.name)


def _cookie(headers: Mapping[str, str]) -> str | None:
    return cookie_parser(headers.get("cookie", "")).get(cookies.NAME)


def _token(headers: Mapping[str, str], query: str) -> str | None:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() in SCHEMES:
        return token.strip()
    if tokens := parse_qs(query).get("token"):
        return tokens[0]
    offered = [name.strip() for name in headers.get("sec-websocket-protocol", "").split(",")]
    keys = (name.removeprefix(_OPENAI) for name in offered)
    return next((key for key in keys if key.startswith(PREFIX)), None)
