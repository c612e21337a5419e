"""`/accounts`: all accounts, for administrators."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from coqui_server.exceptions import RequestError
from coqui_server.web.accounts import Accounts
from coqui_server.web.pages.forms import go_to, shown


def router(accounts: Accounts) -> APIRouter:
    """The page and its forms."""
    routes = APIRouter(prefix="/accounts", include_in_schema=False)

    async def page(request: Request, refusal: RequestError | None = None) -> Response:
        users = await accounts.store.users.all()
        return shown(request, "accounts.html", refusal, users=users)

    @routes.get("")
    async def show(request: Request) -> Response:
        return await page(request)

    @routes.post("/{name}/password")
    async def change_password(request: Request, name: str, new: Annotated[str, Form()]) -> Response:
        try:
            await accounts.change_password(name, new)
        except RequestError as refusal:
            return await page(request, refusal)
        return go_to(request, "/accounts")

    @routes.post("/{name}/promote")
    async def promote(request: Request, name: str) -> Response:
        await accounts.store.users.promote(name)
        return go_to(request, "/accounts")

    @routes.post("/{name}/delete")
    async def delete(request: Request, name: str, sessions: Annotated[bool, Form()]) -> Response:
        try:
            await accounts.remove(name, sessions=sessions)
        except RequestError as refusal:
            return await page(request, refusal)
        return go_to(request, "/accounts")

    return routes
