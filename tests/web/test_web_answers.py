"""What all answers of the console have: headers, one form of errors, and no writes by strangers."""

import re

import httpx
import pytest

from tests.protocols.conftest import Running

LOADED = re.compile(r"""(?:src|href|action)\s*=\s*["']([^"']+)""")


@pytest.mark.parametrize("path", ["/", "/health", "/docs", "/redoc", "/static/icon.svg", "/none"])
async def test_security_headers(web: httpx.AsyncClient, path: str) -> None:
    """On pages, on JSON, on files and on errors."""
    headers = (await web.get(path)).headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "script-src" not in policy
    assert ("'unsafe-inline'" in policy.get("style-src", "")) == (path in ("/docs", "/redoc"))
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "uvicorn" not in headers.get("Server", "")


@pytest.mark.parametrize("path", ["/", "/docs", "/redoc"])
async def test_pages_load_nothing_from_elsewhere(web: httpx.AsyncClient, path: str) -> None:
    """Everything a page names is of this host, and there."""
    page = await web.get(path)
    assert page.status_code == 200
    named = [address for address in LOADED.findall(page.text) if not address.startswith("#")]
    assert named
    for address in named:
        assert re.match("/[^/]|/$", address)
        assert (await web.get(address)).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/none", 404, "not_found"),
        ("POST", "/health", 405, "method_not_allowed"),
        ("GET", "/static/../app.py", 404, "not_found"),
        ("GET", "/static/%2e%2e/app.py", 404, "not_found"),
        ("GET", "/static/..%2fapp.py", 404, "not_found"),
    ],
)
async def test_errors_have_one_form(
    web: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    """`{"message", "code"}`, as on the sockets."""
    answer = await web.request(method, path)
    assert answer.status_code == status
    assert answer.json()["code"] == code
    assert set(answer.json()) == {"message", "code"}


async def test_pages_of_other_sites_may_not_post(server: Running, web: httpx.AsyncClient) -> None:
    """A form of any page can be posted here; what it would do is not done."""
    answer = await web.post("/health", headers={"Origin": "https://evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    own = await web.post("/health", headers={"Origin": server.console})
    assert own.status_code == 405
