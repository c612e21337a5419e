"""`coqui_server.store.users` on a real database."""

import asyncio
import threading
from datetime import UTC, datetime

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type

from coqui_server.exceptions import BadRequest, Forbidden, NameTaken, NotFound
from coqui_server.store.database import Database
from coqui_server.store.tables import SessionRow
from coqui_server.store.users import Users

PASSWORD = "correct horse"


@pytest.fixture
def users(database: Database, quick_passwords: None) -> Users:
    """Nobody yet."""
    return Users(database)


async def test_passwords_are_argon2_hashes(database: Database) -> None:
    """With the parameters that RFC 9106 recommends, and a salt for each."""
    users = Users(database)
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


async def test_another_password(users: Users) -> None:
    """The old one is no longer valid; a short one changes nothing."""
    await users.add("anna", PASSWORD)
    with pytest.raises(BadRequest):
        await users.change_password("anna", "short")
    assert await users.verified("anna", PASSWORD)
    await users.change_password("anna", "another horse")
    assert await users.verified("anna", PASSWORD) is None
    assert await users.verified("anna", "another horse")
    with pytest.raises(NotFound):
        await users.change_password("ben", "another horse")


async def test_the_last_administrator_stays(users: Users) -> None:
    """An account can be deleted while somebody else can administrate."""
    await users.add("anna", PASSWORD)
    await users.add("ben", PASSWORD)
    with pytest.raises(Forbidden):
        await users.delete("anna")
    await users.promote("ben")
    await users.delete("anna")
    assert [user.name for user in await users.all()] == ["ben"]
    with pytest.raises(NotFound):
        await users.delete("anna")


async def test_a_name_with_sessions_is_not_given_again(users: Users, database: Database) -> None:
    """Or the next user of this name would see the sessions of the one before."""
    await users.add("anna", PASSWORD)
    await users.add("ben", PASSWORD)
    session = SessionRow(
        id="1", kind="live", engine="vosk", owner="ben", start=datetime.now(UTC), state="finished"
    )
    async with database.writing() as transaction:
        transaction.add(session)
    await users.delete("ben")
    with pytest.raises(NameTaken):
        await users.add("ben", PASSWORD)
    async with database.writing() as transaction:
        await transaction.delete(session)
    assert (await users.add("ben", PASSWORD)).name == "ben"
