"""`coqui_server.store.tokens` on a real database."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from coqui_server.exceptions import BadRequest, NotFound
from coqui_server.store.database import Database
from coqui_server.store.tokens import Tokens
from coqui_server.store.users import Users

PASSWORD = "correct horse"


@pytest.fixture
def users(database: Database) -> Users:
    """Nobody yet."""
    return Users(database)


@pytest.fixture
def tokens(database: Database) -> Tokens:
    """None yet."""
    return Tokens(database)


async def test_tokens(users: Users, tokens: Tokens) -> None:
    """A token is its user's until it is revoked, and is written nowhere."""
    await users.add("anna", PASSWORD)
    token, row = await tokens.add("anna", "  the  crm ", None)
    assert (row.label, row.expires) == ("the crm", None)
    assert token.startswith("coqui_")
    assert len(token) > 40
    assert token not in repr(vars(row))
    found = await tokens.find(token)
    assert found is not None
    assert (found[0].id, found[1].name) == (row.id, "anna")
    (kept,) = await tokens.of("anna")
    assert kept.used is not None
    for wrong in ("", token[:-1], token.upper(), kept.digest):
        assert await tokens.find(wrong) is None
    with pytest.raises(NotFound):
        await tokens.revoke("ben", row.id)
    await tokens.revoke("anna", row.id)
    assert await tokens.find(token) is None
    assert not await tokens.of("anna")


async def test_expired_tokens(users: Users, tokens: Tokens) -> None:
    """A token is good until its time, and not from then on."""
    await users.add("anna", PASSWORD)
    fresh, _ = await tokens.add("anna", "a", timedelta(days=1))
    old, _ = await tokens.add("anna", "b", timedelta(microseconds=1))
    assert await tokens.find(fresh) is not None
    assert await tokens.find(old) is None


async def test_tokens_go_with_their_user(users: Users, tokens: Tokens, database: Database) -> None:
    """Of an account that is gone nothing lets anybody in."""
    await users.add("anna", PASSWORD)
    token, _ = await tokens.add("anna", "a", None)
    async with database.writing() as transaction:
        await transaction.execute(text("DELETE FROM users"))
    assert await tokens.find(token) is None


@pytest.mark.parametrize("label", ["", "  ", "x" * 101])
async def test_labels(users: Users, tokens: Tokens, label: str) -> None:
    """A token says what it is for."""
    await users.add("anna", PASSWORD)
    with pytest.raises(BadRequest):
        await tokens.add("anna", label, None)
