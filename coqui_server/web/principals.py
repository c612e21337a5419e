"""FastAPI's dependencies: who sends a request, and what the route needs them to be."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from coqui_server.auth.access import Access
from coqui_server.exceptions import Forbidden
from coqui_server.principal import Principal

SAFE = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing (RFC 9110 section 9.2.1)."""

_FORM = "application/x-www-form-urlencoded"

_BEARER = HTTPBearer(auto_error=False, description="a token from the account's page")
"""Only for the API reference, so that requests can be tried there; we read the header ourselves."""


async def _asking(request: Request, _: Annotated[object, Depends(_BEARER)]) -> Principal:
    access: Access = request.app.state.access
    query = request.url.query
    principal = await access.principal(request.headers, query)
    proof = access.proof(request.headers, query)
    if proof is not None and request.method not in SAFE:
        given = request.headers.get("x-csrf-token")
        if given is None and request.headers.get("content-type", "").startswith(_FORM):
            given = str((await request.form()).get("csrf"))
        if given != proof:
            raise Forbidden("not from a page of ours: X-CSRF-Token is missing or wrong")
    request.state.principal, request.state.csrf = principal, proof
    return principal


async def _administrating(principal: "CurrentPrincipal") -> Principal:
    if not principal.sees_all:
        raise Forbidden("only administrators may do that")
    return principal


CurrentPrincipal = Annotated[Principal, Depends(_asking)]
"""The principal of the request. A route with it needs a signed-in user where signing in is
required."""

SIGNED_IN, ADMINISTRATOR = Depends(_asking), Depends(_administrating)
"""For routers whose routes do not need the principal itself."""
