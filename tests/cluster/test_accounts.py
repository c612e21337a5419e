"""Signing in at one of several servers is signing in at all of them, and so is signing out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.exceptions import ConnectionClosed

from coqui_server.auth.presence import Ended
from coqui_server.exceptions import Forbidden
from tests.cluster.servers import Several
from tests.support.daemon import Running
from tests.support.live import Client, client, until
from tests.web.people import PASSWORD, browser, csrf, made_token, sign, signed_up
from tools.redis import Server

pytestmark = pytest.mark.process

REQUIRED = "auth.required = true"


@asynccontextmanager
async def following(server: Running, token: str) -> AsyncIterator[Client]:
    """A client that has opened something with this token."""
    headers = {"Authorization": f"Bearer {token}"}
    async with client(server, "/ws/events", additional_headers=headers) as follower:
        await follower.send({"command": "list_calls"})
        await follower.next()
        yield follower


async def left(follower: Client) -> int | None:
    """The code with which the server closes the connection."""
    with pytest.raises(ConnectionClosed):
        while True:
            await follower.next()
    return follower.socket.close_code


async def test_signing_in_and_out_everywhere(several: Several) -> None:
    """A cookie and a token of one server are good at the other; one that is revoked here is not
    good there, and what it has open there is closed."""
    async with several(2, REQUIRED) as (one, two), signed_up(one, "anna") as anna:
        tokens = [await made_token(anna, label) for label in ("first", "second")]
        async with browser(two) as elsewhere:
            elsewhere.cookies = anna.cookies
            assert (await elsewhere.get("/account")).status_code == 200
            async with following(two, tokens[0]) as revoked, following(two, tokens[1]) as other:
                form = {"csrf": await csrf(elsewhere)}
                await anna.post("/account/tokens/1/revoke", data={"csrf": await csrf(anna)})
                assert await left(revoked) == 3000
                await other.send({"command": "list_calls"})
                assert (await other.next())["event"] == "calls"
            assert (await anna.post("/sign-out", data=form)).status_code == 303
            assert (await elsewhere.get("/account")).status_code == 303


async def test_attempts_at_all_servers_count_together(several: Several, redis: Server) -> None:
    """The sixth is refused wherever it is made; while Redis is away, each server counts its own."""
    async with several(2, REQUIRED) as (one, two), signed_up(one, "anna"):

        async def attempt(server: Running, password: str = "wrong words") -> int:
            async with browser(server) as guessing:
                return (await sign(guessing, "in", "anna", password)).status_code

        assert [await attempt(server) for server in (one, two, one, two, one)] == [401] * 5
        assert await attempt(two) == 429
        assert await attempt(one) == 429
        redis.stop()
        await until(lambda: not two.service.cluster.link.up)  # type: ignore[union-attr]
        assert [await attempt(two) for _ in range(3)] == [401, 401, 429]


async def test_an_end_that_redis_forgot_is_looked_up(several: Several, redis: Server) -> None:
    """In the database, as soon as it is known that something was lost."""
    async with several(2, REQUIRED) as (one, two), signed_up(one, "anna") as anna:
        tokens = [await made_token(anna, label) for label in "abc"]
        assert one.store

        async def revoke(number: int) -> None:
            form = {"csrf": await csrf(anna)}
            assert (await anna.post(f"/account/tokens/{number}/revoke", data=form)).is_redirect

        async with following(two, tokens[0]) as first, following(two, tokens[1]) as second:
            async with following(two, tokens[2]) as third:
                await revoke(3)
                assert await left(third) == 3000
            await one.store.tokens.revoke("anna", 1)
            redis.stop(forget=True)
            redis.start()
            await one.daemon.access.presence.expel(Ended("bert"))
            assert await left(first) == 3000
            await second.send({"command": "list_calls"})
            assert (await second.next())["event"] == "calls"


async def test_only_one_first_account_is_an_administrators(several: Several) -> None:
    """Whoever else asks at the same time, at another server."""
    async with several(2, f"{REQUIRED}\nauth.signup = false") as servers:
        stores = [server.store for server in servers if server.store]
        made = await asyncio.gather(
            *(
                store.users.add(name, PASSWORD, closed=True)
                for store, name in zip(stores, ("anna", "bert"), strict=True)
            ),
            return_exceptions=True,
        )
        assert sorted(isinstance(user, Forbidden) for user in made) == [False, True]
        assert [user.admin for user in await stores[0].users.all()] == [True]
