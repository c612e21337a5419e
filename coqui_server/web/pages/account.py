"""`/account`: a user's own names and terms, password and tokens, and the end of the account."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response

from coqui_server.auth.cookies import Cookies
from coqui_server.exceptions import RequestError
from coqui_server.transcription.wishes import terms
from coqui_server.web.accounts import Accounts
from coqui_server.web.numbers import Id
from coqui_server.web.pages.forms import address_of, go_to, set_cookie, shown, signed_out
from coqui_server.web.principals import CurrentPrincipal

_AGES = {"30": "30 days", "90": "90 days", "365": "a year", "": "no end"}
"""The days for which a token may be valid."""


def router(accounts: Accounts, cookies: Cookies) -> APIRouter:
    """The page and its forms."""
    routes = APIRouter(prefix="/account", include_in_schema=False)

    async def page(
        request: Request, name: str, refusal: RequestError | None = None, **values: Any
    ) -> Response:
        store = accounts.store
        kept = {"tokens": await store.tokens.of(name), "terms": await store.users.terms_of(name)}
        values = {**kept, "ages": _AGES, **values}
        return shown(request, "account.html", refusal, **values)

    @routes.get("")
    async def show(request: Request, asking: CurrentPrincipal) -> Response:
        return await page(request, asking.name)

    @routes.post("/password")
    async def change_password(
        request: Request,
        asking: CurrentPrincipal,
        password: Annotated[str, Form()],
        new: Annotated[str, Form()],
    ) -> Response:
        try:
            await accounts.verified(address_of(request), asking.name, password)
            user = await accounts.change_password(asking.name, new)
        except RequestError as refusal:
            return await page(request, asking.name, refusal)
        return set_cookie(go_to(request, "/account"), request, cookies, user)

    @routes.post("/delete")
    async def delete(
        request: Request,
        asking: CurrentPrincipal,
        password: Annotated[str, Form()],
        sessions: Annotated[bool, Form()],
    ) -> Response:
        try:
            await accounts.verified(address_of(request), asking.name, password)
            await accounts.remove(asking.name, sessions=sessions)
        except RequestError as refusal:
            return await page(request, asking.name, refusal)
        return signed_out(request)

    @routes.post("/terms")
    async def change_terms(
        request: Request, asking: CurrentPrincipal, lines: Annotated[str, Form()] = ""
    ) -> Response:
        try:
            await accounts.store.users.change_terms(asking.name, terms(lines.splitlines()))
        except RequestError as refusal:
            return await page(request, asking.name, refusal, terms=lines.splitlines())
        return go_to(request, "/account")

    @routes.post("/tokens")
    async def make_token(
        request: Request,
        asking: CurrentPrincipal,
        label: Annotated[str, Form()] = "",
        days: Annotated[str, Form(pattern=f"^({'|'.join(_AGES)})$")] = "",
    ) -> Response:
        age = timedelta(days=int(days)) if days else None
        try:
            token, _ = await accounts.store.tokens.add(asking.name, label, age)
        except RequestError as refusal:
            return await page(request, asking.name, refusal)
        return await page(request, asking.name, token=token)

    @routes.post("/tokens/{id}/revoke")
    async def revoke(request: Request, asking: CurrentPrincipal, id: Id) -> Response:
        await accounts.revoke(asking.name, id)
        return go_to(request, "/account")

    return routes
