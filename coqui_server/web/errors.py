"""Errors as a page for people, and as `{"message", "code"}` for programs, as on the sockets."""

from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from coqui_server.exceptions import Busy, NotSignedIn, RequestError
from coqui_server.web.pages import path, root, templates


def handle(app: FastAPI) -> None:
    """Answer every error of this app in one form."""
    app.exception_handler(RequestError)(_refused)
    app.exception_handler(HTTPException)(_failed)
    app.exception_handler(RequestValidationError)(_malformed)
    app.exception_handler(Exception)(_broken)


def _answer(request: Request, status: int, message: str, code: str) -> Response:
    for_people = not path(request).startswith("/api/")
    if for_people and "text/html" in request.headers.get("Accept", ""):
        about = {"title": HTTPStatus(status).phrase, "message": message}
        return templates.TemplateResponse(request, "error.html", about, status)
    return JSONResponse({"message": message, "code": code}, status)


async def _refused(request: Request, refusal: RequestError) -> Response:
    if isinstance(refusal, NotSignedIn):
        return _to_sign_in(request, refusal)
    answer = _answer(request, refusal.http_status, str(refusal), refusal.code)
    answer.headers.update(headers(refusal))
    return answer


def headers(refusal: RequestError) -> dict[str, str]:
    """What tells a program how to go on after a refusal."""
    match refusal:
        case Busy():
            return {"Retry-After": str(refusal.retry)}
        case NotSignedIn():
            return {"WWW-Authenticate": "Bearer"}
    return {}


def _to_sign_in(request: Request, refusal: NotSignedIn) -> Response:
    """Lead people to the sign-in page and back; answer programs with 401."""
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        # Without the query, which may contain a wrong token.
        query = urlencode({"next": request.url.path})
        return RedirectResponse(f"{root(request)}/sign-in?{query}", 303)
    answer = _answer(request, refusal.http_status, str(refusal), refusal.code)
    answer.headers.update(headers(refusal))
    return answer


async def _failed(request: Request, failure: HTTPException) -> Response:
    """A refusal of the framework: unknown path, wrong method, body too large."""
    status = HTTPStatus(failure.status_code)
    answer = _answer(request, status, failure.detail, status.name.lower())
    answer.headers.update(failure.headers or {})
    return answer


async def _malformed(request: Request, wrong: RequestValidationError) -> Response:
    """A wrong parameter; the message names the first one."""
    first = wrong.errors()[0]
    name = ".".join(str(part) for part in first["loc"][1:]) or "the request"
    return _answer(request, HTTPStatus.BAD_REQUEST, f"{name}: {first['msg']}", "bad_request")


async def _broken(request: Request, __: Exception) -> Response:
    """Our fault; the framework logs the exception."""
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return _answer(request, status, "an internal error; see the log of the daemon", "internal")
