"""What the forms of the account pages share."""

from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from coqui_server.auth.cookies import NAME, Cookies
from coqui_server.exceptions import RequestError, TooManyAttempts
from coqui_server.store.tables import UserRow
from coqui_server.web.pages import root, templates


def shown(
    request: Request, page: str, refusal: RequestError | None = None, **values: Any
) -> Response:
    """A page with forms, and why one was refused, if it was."""
    status = refusal.http_status if refusal else HTTPStatus.OK
    values = {"refusal": refusal, **values}
    response = templates.TemplateResponse(request, page, values, status_code=status)
    # Pages of one user must not stay in a cache, or in the history after signing out.
    response.headers["Cache-Control"] = "no-store"
    if isinstance(refusal, TooManyAttempts):
        response.headers["Retry-After"] = str(int(refusal.wait) + 1)
    return response


def go_to(request: Request, page: str) -> Response:
    """The answer to a form that leads to another page of the console."""
    return RedirectResponse(f"{root(request)}{page}", HTTPStatus.SEE_OTHER)


def set_cookie(response: Response, request: Request, cookies: Cookies, user: UserRow) -> Response:
    """The response, which signs this user in."""
    response.set_cookie(
        NAME,
        cookies.made(user),
        int(cookies.age),
        path=root(request) or "/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return response


def signed_out(request: Request) -> Response:
    """The answer to a form that ends the sign-in: without the cookie, to the sign-in page."""
    response = go_to(request, "/sign-in")
    response.delete_cookie(NAME, root(request) or "/", httponly=True, samesite="lax")
    return response


def address_of(request: Request) -> str:
    """The address of the client."""
    return request.client.host if request.client else ""
