"""`coqui_server.store.users` on a real database."""

import asyncio
import threading
from datetime import timedelta

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type
from sqlalchemy import text

from coqui_server.exceptions import BadRequest, Forbidden, NameTaken, NotFound
from coqui_server.store.database import Database
from coqui_server.store.users import Users

PASSWORD = "correct horse"


@pytest.fixture
def users(database: Database) -> Users:
    """Nobody yet."""
    return Users(database)


async def test_passwords_are_argon2_hashes(users: Users) -> None:
    """With the parameters that RFC 9106 recommends, and a salt for each."""
    one, two = await users.add("anna", PASSWORD), await users.add("ben", PASSWORD)
    assert one.password != two.password
    parameters = extract_parameters(one.password)
    assert parameters.type is Type.ID
    assert (parameters.memory_cost, parameters.time_cost) == (65536, 3)
    assert (parameters.parallelism, parameters.salt_len) == (4, 16)
    assert PasswordHasher().verify(one.password, PASSWORD)


async def test_the_first_is_an_administrator(users: Users) -> None:
    """And nobody else, even if several come at once; a closed sign-up lets only the first in."""
    assert await users.empty()
    names = ("anna", "ben", "cleo")
    made = await asyncio.gather(*(users.add(name, PASSWORD) for name in names))
    assert sum(user.admin for user in made) == 1
    with pytest.raises(Forbidden):
        await users.add("dora", PASSWORD, closed=True)
    assert not await users.empty()


async def test_the_first_comes_in_by_a_closed_door(users: Users) -> None:
    """Or nobody ever could."""
    assert (await users.add("anna", PASSWORD, closed=True)).admin


async def test_names(users: Users) -> None:
    """Two that look alike are one; what could be mistaken for something else is none."""
    assert (await users.add(" Änna ", PASSWORD)).name == "änna"
    for name in ("ÄNNA", "a\u0308nna"):
        with pytest.raises(NameTaken):
            await users.add(name, PASSWORD)
    assert (await users.add("مینا", PASSWORD)).name == "مینا"
    for name in ("", "a b", "a/b", "<b>", "a\0", "x" * 65):
        with pytest.raises(BadRequest):
            await users.add(name, PASSWORD)
    for password in ("short", "x" * 1001):
        with pytest.raises(BadRequest):
            await users.add("ben", password)


async def test_signing_in(users: Users) -> None:
    """With the right name and password, in any case; not with others."""
    await users.add("anna", PASSWORD)
    found = await users.verified("Anna", PASSWORD)
    assert found is not None
    assert found.name == "anna"
    for name, password in (
        ("anna", "wrong horse"),
        ("anna", ""),
        ("anna\0", PASSWORD),
        ("nobody", PASSWORD),
        ("anna", "x" * 5000),
    ):
        assert await users.verified(name, password) is None


async def test_the_loop_goes_on_while_hashing(
    users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password takes a tenth of a second of a core, and not on the loop's thread."""
    threads: set[int] = set()
    real = PasswordHasher.hash

    def noted(self: PasswordHasher, password: str) -> str:
        threads.add(threading.get_ident())
        return real(self, password)

    monkeypatch.setattr(PasswordHasher, "hash", noted)
    await asyncio.gather(*(users.add(f"user{n}", PASSWORD) for n in range(4)))
    assert threads
    assert threading.get_ident() not in threads


async def test_tokens(users: Users) -> None:
    """A token is its user's until it is revoked, and is written nowhere."""
    await users.add("anna", PASSWORD)
    token, row = await users.add_token("anna", "  the  crm ", None)
    assert (row.label, row.expires) == ("the crm", None)
    assert token.startswith("coqui_")
    assert len(token) > 40
    assert token not in repr(vars(row))
    user = await users.of_token(token)
    assert user is not None
    assert user.name == "anna"
    (kept,) = await users.tokens("anna")
    assert kept.used is not None
    for wrong in ("", token[:-1], token.upper(), kept.digest):
        assert await users.of_token(wrong) is None
    with pytest.raises(NotFound):
        await users.revoke("ben", row.id)
    await users.revoke("anna", row.id)
    assert await users.of_token(token) is None
    assert not await users.tokens("anna")


async def test_expired_tokens(users: Users) -> None:
    """A token is good until its time, and not from then on."""
    await users.add("anna", PASSWORD)
    fresh, _ = await users.add_token("anna", "a", timedelta(days=1))
    old, _ = await users.add_token("anna", "b", timedelta(microseconds=1))
    assert await users.of_token(fresh) is not None
    assert await users.of_token(old) is None


async def test_tokens_go_with_their_user(users: Users, database: Database) -> None:
    """Of an account that is gone nothing lets anybody in."""
    await users.add("anna", PASSWORD)
    token, _ = await users.add_token("anna", "a", None)
    async with database.writing() as transaction:
        await transaction.execute(text("DELETE FROM users"))
    assert await users.of_token(token) is None


@pytest.mark.parametrize("label", ["", "  ", "x" * 101])
async def test_labels(users: Users, label: str) -> None:
    """A token says what it is for."""
    await users.add("anna", PASSWORD)
    with pytest.raises(BadRequest):
        await users.add_token("anna", label, None)
