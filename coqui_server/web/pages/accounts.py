"""`/sign-in`, `/sign-up`, `/sign-out`, `/account`: plain forms, which work without a script."""

from collections.abc import Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from coqui_server.auth.cookies import NAME, Cookies
from coqui_server.auth.throttle import Throttle
from coqui_server.exceptions import NotSignedIn, RequestError, TooManyAttempts
from coqui_server.store.tables import TokenRow, UserRow
from coqui_server.store.users import Users, folded
from coqui_server.web.numbers import Id
from coqui_server.web.pages import templates
from coqui_server.web.principals import CurrentPrincipal

_WINDOW = 15 * 60.0
"""Seconds in which attempts are counted."""

_OF_ONE, _OF_ADDRESS = 5, 50
"""Attempts for one name from one address, and for all names from one address, behind which there
may be a whole office."""

_AGES = {"30": "30 days", "90": "90 days", "365": "a year", "": "no end"}
"""The days for which a token may be valid."""


class Attempts:
    """Limits attempts to sign in and up, against guessed passwords and automatic accounts."""

    def __init__(self) -> None:
        self._pairs = Throttle(_OF_ONE, _WINDOW)
        self._addresses = Throttle(_OF_ADDRESS, _WINDOW)

    def take(self, address: str, name: str) -> None:
        """Count an attempt.

        Raises:
            TooManyAttempts: there were too many.
        """
        wait = self._addresses.take(address) or self._pairs.take(f"{address} {folded(name)}")
        if wait:
            raise TooManyAttempts(wait)

    def forgive(self, address: str, name: str) -> None:
        """Forget the attempts after a successful one."""
        self._pairs.forgive(f"{address} {folded(name)}")


def router(users: Users, cookies: Cookies, signup: bool) -> APIRouter:
    """The pages; `signup`: whether people may make accounts themselves."""
    routes = APIRouter(include_in_schema=False)
    attempts = Attempts()

    async def shown(
        request: Request, page: str, refusal: RequestError | None = None, **values: Any
    ) -> Response:
        first = await users.empty()
        values = {"first": first, "signup": signup or first, "refusal": refusal, **values}
        status = refusal.http_status if refusal else HTTPStatus.OK
        response = templates.TemplateResponse(request, page, values, status_code=status)
        # Pages of one user must not stay in a cache, or in the history after signing out.
        response.headers["Cache-Control"] = "no-store"
        if isinstance(refusal, TooManyAttempts):
            response.headers["Retry-After"] = str(int(refusal.wait) + 1)
        return response

    def welcomed(request: Request, user: UserRow, address: str) -> Response:
        response = RedirectResponse(address, HTTPStatus.SEE_OTHER)
        response.set_cookie(
            NAME,
            cookies.made(user),
            int(cookies.age),
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="lax",
        )
        return response

    @routes.get("/sign-in")
    async def ask(request: Request, next: str = "/") -> Response:
        return await shown(request, "sign-in.html", next=next)

    @routes.post("/sign-in")
    async def sign_in(
        request: Request,
        name: Annotated[str, Form()],
        password: Annotated[str, Form()],
        next: Annotated[str, Form()] = "/",
    ) -> Response:
        try:
            attempts.take(_address(request), name)
            user = await users.verified(name, password)
            if user is None:
                raise NotSignedIn("no account has this name and this password")
        except RequestError as refusal:
            return await shown(request, "sign-in.html", refusal, next=next, name=name)
        attempts.forgive(_address(request), name)
        return welcomed(request, user, _own(next))

    @routes.get("/sign-up")
    async def offer(request: Request) -> Response:
        return await shown(request, "sign-up.html")

    @routes.post("/sign-up")
    async def sign_up(
        request: Request, name: Annotated[str, Form()], password: Annotated[str, Form()]
    ) -> Response:
        try:
            attempts.take(_address(request), name)
            user = await users.add(name, password, closed=not signup)
        except RequestError as refusal:
            return await shown(request, "sign-up.html", refusal, name=name)
        attempts.forgive(_address(request), name)
        return welcomed(request, user, "/")

    @routes.post("/sign-out")
    async def sign_out(asking: CurrentPrincipal) -> Response:
        response = RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)
        response.delete_cookie(NAME, httponly=True, samesite="lax")
        return response

    async def account(request: Request, user: str, **values: Any) -> Response:
        tokens: Sequence[TokenRow] = await users.tokens(user)
        return await shown(request, "account.html", tokens=tokens, ages=_AGES, **values)

    @routes.get("/account")
    async def show(request: Request, asking: CurrentPrincipal) -> Response:
        return await account(request, _name(asking.user))

    @routes.post("/account/tokens")
    async def make_token(
        request: Request,
        asking: CurrentPrincipal,
        label: Annotated[str, Form()] = "",
        days: Annotated[str, Form(pattern=f"^({'|'.join(_AGES)})$")] = "",
    ) -> Response:
        name, age = _name(asking.user), timedelta(days=int(days)) if days else None
        try:
            token, _ = await users.add_token(name, label, age)
        except RequestError as refusal:
            return await account(request, name, refusal=refusal)
        return await account(request, name, token=token)

    @routes.post("/account/tokens/{id}/revoke")
    async def revoke(asking: CurrentPrincipal, id: Id) -> Response:
        await users.revoke(_name(asking.user), id)
        return RedirectResponse("/account", HTTPStatus.SEE_OTHER)

    return routes


def _name(user: str | None) -> str:
    assert user is not None, "these pages are there only where somebody has to sign in"
    return user


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _own(address: str) -> str:
    """A path on this site: a link to the sign-in page may contain any address."""
    ours = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if ours and address.isprintable() else "/"
