"""What all answers of the console have: headers, one form of errors, and no writes by strangers."""

import re

import httpx

from tests.support.daemon import Running

LOADED = re.compile(r"""(?:src|href|action)\s*=\s*["']([^"']+)""")


PATHS = ("/", "/sessions", "/health", "/docs", "/redoc", "/static/icon.svg", "/none")


async def test_security_headers(web: httpx.AsyncClient) -> None:
    """On pages, on JSON, on files and on errors."""
    for path in PATHS:
        await _guarded(web, path)


async def _guarded(web: httpx.AsyncClient, path: str) -> None:
    headers = (await web.get(path)).headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "script-src" not in policy
    assert ("'unsafe-inline'" in policy.get("style-src", "")) == (path in ("/docs", "/redoc"))
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "uvicorn" not in headers.get("Server", "")


async def test_pages_load_nothing_from_elsewhere(web: httpx.AsyncClient) -> None:
    """Everything a page names is of this host, and there."""
    for path in ("/", "/sessions", "/docs", "/redoc"):
        await _whole(web, path)


async def _whole(web: httpx.AsyncClient, path: str) -> None:
    page = await web.get(path)
    assert page.status_code == 200
    named = [address for address in LOADED.findall(page.text) if not address.startswith("#")]
    assert named
    for address in named:
        assert re.match("/[^/]|/$", address)
        assert (await web.get(address)).status_code == 200


ERRORS = [
    ("GET", "/api/none", 404, "not_found"),
    ("POST", "/health", 405, "method_not_allowed"),
    ("GET", "/static/../app.py", 404, "not_found"),
    ("GET", "/static/%2e%2e/app.py", 404, "not_found"),
    ("GET", "/static/..%2fapp.py", 404, "not_found"),
]


async def test_errors_have_one_form(web: httpx.AsyncClient) -> None:
    """`{"message", "code"}`, as on the sockets; people who came by a link get a page."""
    for method, path, status, code in ERRORS:
        answer = await web.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert set(answer.json()) == {"message", "code"}
    html = {"Accept": "text/html,*/*"}
    page = await web.get("/sessions/none", headers=html)
    assert (page.status_code, page.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert "no session none here" in page.text
    for_programs = await web.get("/api/sessions/none", headers=html)
    assert for_programs.json()["code"] == "not_found"


async def test_pages_of_other_sites_may_not_post(server: Running, web: httpx.AsyncClient) -> None:
    """A form of any page can be posted here; what it would do is not done."""
    answer = await web.post("/health", headers={"Origin": "https://evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    own = await web.post("/health", headers={"Origin": server.console})
    assert own.status_code == 405
