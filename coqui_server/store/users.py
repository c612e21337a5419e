"""Accounts, and their tokens for programs."""

import asyncio
import hashlib
import re
import secrets
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import delete, exists, select

from coqui_server.exceptions import BadRequest, Forbidden, NameTaken, NotFound
from coqui_server.store.database import Database
from coqui_server.store.tables import TokenRow, UserRow

PREFIX = "coqui_"
"""How every token begins, so that people and secret scanners recognise it."""

_NAME = re.compile(r"[\w.@+-]{1,64}")
_SHORTEST, _LONGEST = 8, 1000
"""Characters of a password."""

_LONGEST_LABEL = 100

_AT_ONCE = 2
"""Passwords hashed at a time, on threads: each takes 64 MiB for a tenth of a second."""


class Users:
    """Accounts, passwords and tokens. All methods raise `StoreError`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # RFC 9106, section 4, the second recommended option: 64 MiB, 3 passes, 4 lanes.
        self._hasher = PasswordHasher()
        self._hashing = asyncio.Semaphore(_AT_ONCE)
        self._adding = asyncio.Lock()

    async def empty(self) -> bool:
        """Whether there is no account yet."""
        async with self._database.reading() as transaction:
            return not await transaction.scalar(select(exists().select_from(UserRow)))

    async def add(self, name: str, password: str, *, closed: bool = False) -> UserRow:
        """Make an account. The first one is an administrator's, also where sign-up is `closed`.

        Raises:
            BadRequest: the name or the password is not valid.
            Forbidden: sign-up is closed.
            NameTaken: another account has the name.
        """
        name = _proper(name)
        if not _SHORTEST <= len(password) <= _LONGEST:
            raise BadRequest(f"a password has {_SHORTEST} to {_LONGEST} characters")
        async with self._adding:
            first = await self.empty()
            if closed and not first:
                raise Forbidden("nobody can sign up here; ask an administrator")
            digest = await self._hashed(password)
            user = UserRow(name=name, password=digest, admin=first, created=datetime.now(UTC))
            async with self._database.writing() as transaction:
                if await transaction.get(UserRow, name):
                    raise NameTaken(f"there is a {name} already")
                transaction.add(user)
        return user

    async def get(self, name: str) -> UserRow | None:
        """The account of this name."""
        async with self._database.reading() as transaction:
            return await transaction.get(UserRow, name)

    async def verified(self, name: str, password: str) -> UserRow | None:
        """The account of this name, if this is its password."""
        name = folded(name)
        user = await self.get(name) if _NAME.fullmatch(name) else None
        if len(password) > _LONGEST:
            return None
        if user is None:
            # So that it takes as long as for an account that exists.
            await self._hashed(password)
            return None
        return user if await self._matches(user.password, password) else None

    async def add_token(self, user: str, label: str, age: timedelta | None) -> tuple[str, TokenRow]:
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

    async def tokens(self, user: str) -> Sequence[TokenRow]:
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

    async def of_token(self, token: str) -> UserRow | None:
        """The owner of a token; None if there is no such token or it has expired."""
        now = datetime.now(UTC)
        query = (
            select(TokenRow, UserRow)
            .join(UserRow, UserRow.name == TokenRow.user)
            .where(TokenRow.digest == _digest(token))
        )
        async with self._database.reading() as transaction:
            row = (await transaction.execute(query)).first()
        if row is None or (row[0].expires and row[0].expires <= now):
            return None
        await self._note_use(row[0], now)
        user: UserRow = row[1]
        return user

    async def _note_use(self, token: TokenRow, now: datetime) -> None:
        """Store the day on which a token was last used; one write a day is enough."""
        if token.used and token.used.date() == now.date():
            return
        async with self._database.writing() as transaction:
            if row := await transaction.get(TokenRow, token.id):
                row.used = now

    async def _hashed(self, password: str) -> str:
        async with self._hashing:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def _matches(self, digest: str, password: str) -> bool:
        async with self._hashing:
            try:
                return await asyncio.to_thread(self._hasher.verify, digest, password)
            except VerificationError:
                return False


def folded(name: str) -> str:
    """A name as it is stored: names that differ only in case or Unicode form are one."""
    return unicodedata.normalize("NFKC", name.strip()).casefold()


def _proper(name: str) -> str:
    name = folded(name)
    if not _NAME.fullmatch(name):
        raise BadRequest("a name has 1 to 64 letters, digits or . _ @ + -")
    return name


def _digest(token: str) -> str:
    # Not argon2: a token has 256 random bits, which cannot be guessed.
    return hashlib.sha256(token.encode()).hexdigest()
