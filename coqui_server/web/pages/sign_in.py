"""`/sign-in`, `/sign-up`, `/sign-out`: plain forms, which work without a script."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response

from coqui_server.auth.cookies import Cookies
from coqui_server.exceptions import RequestError
from coqui_server.web.accounts import Accounts
from coqui_server.web.pages import root
from coqui_server.web.pages.forms import address_of, go_to, set_cookie, shown, signed_out
from coqui_server.web.principals import CurrentPrincipal


def router(accounts: Accounts, cookies: Cookies) -> APIRouter:
    """The pages."""
    routes = APIRouter(include_in_schema=False)

    async def page(
        request: Request, template: str, refusal: RequestError | None = None, **values: Any
    ) -> Response:
        first = await accounts.store.users.empty()
        values = {"first": first, "signup": accounts.signup or first, **values}
        return shown(request, template, refusal, **values)

    @routes.get("/sign-in")
    async def ask(request: Request, next: str = "/") -> Response:
        return await page(request, "sign-in.html", next=next)

    @routes.post("/sign-in")
    async def sign_in(
        request: Request,
        name: Annotated[str, Form()],
        password: Annotated[str, Form()],
        next: Annotated[str, Form()] = "/",
    ) -> Response:
        try:
            user = await accounts.verified(address_of(request), name, password)
        except RequestError as refusal:
            return await page(request, "sign-in.html", refusal, next=next, name=name)
        return set_cookie(go_to(request, _own(next, root(request))), request, cookies, user)

    @routes.get("/sign-up")
    async def offer(request: Request) -> Response:
        return await page(request, "sign-up.html")

    @routes.post("/sign-up")
    async def sign_up(
        request: Request, name: Annotated[str, Form()], password: Annotated[str, Form()]
    ) -> Response:
        try:
            user = await accounts.sign_up(address_of(request), name, password)
        except RequestError as refusal:
            return await page(request, "sign-up.html", refusal, name=name)
        return set_cookie(go_to(request, "/"), request, cookies, user)

    @routes.post("/sign-out")
    async def sign_out(request: Request, asking: CurrentPrincipal) -> Response:
        await accounts.sign_out(asking.name)
        return signed_out(request)

    return routes


def _own(address: str, root: str) -> str:
    """A path below the root: a link to the sign-in page may contain any address."""
    address = address.removeprefix(root)
    ours = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if ours and address.isprintable() else "/"
