"""People in front of browsers, each with cookies of their own."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.support.daemon import Running

PASSWORD = "correct horse"


@asynccontextmanager
async def browser(server: Running) -> AsyncIterator[httpx.AsyncClient]:
    """A browser on the console; it follows no redirects by itself."""
    headers = {"Accept": "text/html", "Origin": server.console}
    async with server.http(headers=headers) as client:
        yield client


async def sign(
    client: httpx.AsyncClient, way: str, name: str, password: str = PASSWORD, next: str = "/"
) -> httpx.Response:
    """Post the form of `/sign-in` or `/sign-up`."""
    form = {"name": name, "password": password, "next": next}
    return await client.post(f"/sign-{way}", data=form)


@asynccontextmanager
async def signed_up(server: Running, name: str) -> AsyncIterator[httpx.AsyncClient]:
    """The browser of somebody who has just made an account; the first is the administrator."""
    async with browser(server) as client:
        assert (await sign(client, "up", name)).status_code == 303
        yield client


async def csrf(client: httpx.AsyncClient) -> str:
    """What their pages hold to prove that they are the console's."""
    found = re.search(r'<meta name="csrf" content="(\w+)">', (await client.get("/account")).text)
    assert found
    return found[1]


async def made_token(client: httpx.AsyncClient, label: str = "crm", days: str = "") -> str:
    """A new token of theirs, as the page shows it."""
    form = {"label": label, "days": days, "csrf": await csrf(client)}
    found = re.search(r'id="token">(.+?)<', (await client.post("/account/tokens", data=form)).text)
    assert found
    return found[1]
