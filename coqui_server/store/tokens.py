"""The tokens of users, for their programs."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select

from coqui_server.exceptions import BadRequest, NotFound
from coqui_server.store.database import Database
from coqui_server.store.tables import TokenRow, UserRow

PREFIX = "coqui_"
"""How every token begins, so that people and secret scanners recognise it."""

_LONGEST_LABEL = 100


class Tokens:
    """The table of tokens. All methods raise `StoreError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, user: str, label: str, age: timedelta | None) -> tuple[str, TokenRow]:
        """A new token, and its row, from which it cannot be computed.

        Args:
            age: for how long it is valid; None: for ever.

        Raises:
            BadRequest: the label is empty or too long.
        """
        label = " ".join(label.split())
        if not 1 <= len(label) <= _LONGEST_LABEL:
            raise BadRequest(f"say in 1 to {_LONGEST_LABEL} characters what the token is for")
        token, now = PREFIX + secrets.token_urlsafe(32), datetime.now(UTC)
        expires = now + age if age else None
        row = TokenRow(user=user, label=label, digest=_digest(token), created=now, expires=expires)
        async with self._database.writing() as transaction:
            transaction.add(row)
        return token, row

    async def of(self, user: str) -> Sequence[TokenRow]:
        """The rows of a user's tokens, the newest first."""
        query = select(TokenRow).where(TokenRow.user == user).order_by(TokenRow.id.desc())
        async with self._database.reading() as transaction:
            return (await transaction.scalars(query)).all()

    async def revoke(self, user: str, id: int) -> None:
        """Delete one of a user's tokens.

        Raises:
            NotFound: the user has no such token.
        """
        rows = delete(TokenRow).where(TokenRow.id == id, TokenRow.user == user)
        async with self._database.writing() as transaction:
            if not (await transaction.scalars(rows.returning(TokenRow.id))).all():
                raise NotFound(f"there is no token {id}")

    async def exists(self, id: int) -> bool:
        """Whether there is a token of this id."""
        async with self._database.reading() as transaction:
            return await transaction.get(TokenRow, id) is not None

    async def find(self, token: str) -> tuple[TokenRow, UserRow] | None:
        """A token's row and its owner; None if there is no such token or it has expired."""
        now = datetime.now(UTC)
        query = (
            select(TokenRow, UserRow)
            .join(UserRow, UserRow.name == TokenRow.user)
            .where(TokenRow.digest == _digest(token))
        )
        async with self._database.reading() as transaction:
            found = (await transaction.execute(query)).first()
        if found is None or (found[0].expires and found[0].expires <= now):
            return None
        row, user = found
        await self._note_use(row, now)
        return row, user

    async def _note_use(self, token: TokenRow, now: datetime) -> None:
        """Store the day on which a token was last used; one write a day is enough."""
        if token.used and token.used.date() == now.date():
            return
        async with self._database.writing() as transaction:
            if row := await transaction.get(TokenRow, token.id):
                row.used = now


def _digest(token: str) -> str:
    # Not argon2: a token has 256 random bits, which cannot be guessed.
    return hashlib.sha256(token.encode()).hexdigest()
