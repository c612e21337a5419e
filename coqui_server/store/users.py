"""Accounts and their passwords."""

import asyncio
import re
import unicodedata
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from coqui_server.exceptions import BadRequest, Forbidden, NameTaken, NotFound
from coqui_server.store.database import Database, alone
from coqui_server.store.tables import JobRow, SessionRow, UserRow

_NAME = re.compile(r"[\w.@+-]{1,64}")
_SHORTEST, _LONGEST = 8, 1000
"""Characters of a password."""

_AT_ONCE = 2
"""Passwords hashed at a time, on threads: each takes 64 MiB for a tenth of a second."""


_ADDING = 0x61636374
"""The key of PostgreSQL's lock for new accounts: "acct"."""

_ANYBODY = select(exists().select_from(UserRow))
_CLOSED = "nobody can sign up here; ask an administrator"


class Users:
    """The table of accounts. All methods raise `StoreError`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # RFC 9106, section 4, the second recommended option: 64 MiB, 3 passes, 4 lanes.
        self._hasher = PasswordHasher()
        self._hashing = asyncio.Semaphore(_AT_ONCE)
        self._adding = asyncio.Lock()

    async def empty(self) -> bool:
        """Whether there is no account yet."""
        async with self._database.reading() as transaction:
            return not await transaction.scalar(_ANYBODY)

    async def add(self, name: str, password: str, *, closed: bool = False) -> UserRow:
        """Make an account. The first one is an administrator's, also where sign-up is `closed`.

        Raises:
            BadRequest: the name or the password is not valid.
            Forbidden: sign-up is closed.
            NameTaken: another account has the name, or had it and its sessions are kept.
        """
        name, password = _proper(name), _long_enough(password)
        async with self._adding:
            if closed and not await self.empty():
                raise Forbidden(_CLOSED)
            digest = await self._hashed(password)
            user = UserRow(name=name, password=digest, created=datetime.now(UTC))
            async with self._database.writing() as transaction:
                await alone(transaction, _ADDING)
                first = not await transaction.scalar(_ANYBODY)
                if closed and not first:
                    raise Forbidden(_CLOSED)
                user.admin = first
                if await transaction.get(UserRow, name):
                    raise NameTaken(f"there is a {name} already")
                if await _left_rows(transaction, name):
                    raise NameTaken(f"there was a {name} before, whose sessions are kept")
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

    async def all(self) -> Sequence[UserRow]:
        """Every account, by name."""
        async with self._database.reading() as transaction:
            return (await transaction.scalars(select(UserRow).order_by(UserRow.name))).all()

    async def change_password(self, name: str, password: str) -> UserRow:
        """Set another password, which ends all sign-ins. Tokens stay.

        Raises:
            BadRequest: the password is not valid.
            NotFound: there is no such account.
        """
        digest = await self._hashed(_long_enough(password))
        async with self._changing(name) as user:
            user.password = digest
        return user

    async def sign_out(self, name: str) -> None:
        """End all sign-ins of a user. Tokens stay.

        Raises:
            NotFound: as `change_password`.
        """
        async with self._changing(name) as user:
            user.sign_outs += 1

    async def terms_of(self, name: str) -> Sequence[str]:
        """The names and terms of a user; none of one who is gone."""
        user = await self.get(name)
        return user.terms if user else ()

    async def change_terms(self, name: str, terms: Sequence[str]) -> None:
        """Set the names and terms of a user. Raises as `sign_out`."""
        async with self._changing(name) as user:
            user.terms = list(terms)

    async def promote(self, name: str) -> None:
        """Make a user an administrator. Raises as `sign_out`."""
        async with self._changing(name) as user:
            user.admin = True

    async def delete(self, name: str) -> None:
        """Delete an account and its tokens.

        Raises:
            Forbidden: it is the only administrator's.
            NotFound: as `change_password`.
        """
        others = select(UserRow).where(UserRow.admin, UserRow.name != name)
        async with self._database.writing() as transaction:
            user = await _one(transaction, name)
            if user.admin and not await transaction.scalar(select(others.exists())):
                raise Forbidden("the only administrator stays; make another one first")
            await transaction.delete(user)

    @asynccontextmanager
    async def _changing(self, name: str) -> AsyncIterator[UserRow]:
        async with self._database.writing() as transaction:
            yield await _one(transaction, name)

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


def _long_enough(password: str) -> str:
    if not _SHORTEST <= len(password) <= _LONGEST:
        raise BadRequest(f"a password has {_SHORTEST} to {_LONGEST} characters")
    return password


async def _one(transaction: AsyncSession, name: str) -> UserRow:
    user = await transaction.get(UserRow, name)
    if user is None:
        raise NotFound(f"there is no account {name}")
    return user


async def _left_rows(transaction: AsyncSession, owner: str) -> bool:
    """Whether there are sessions or files of an account that is gone."""
    rows = (select(table).where(table.owner == owner).exists() for table in (SessionRow, JobRow))
    return bool(await transaction.scalar(select(or_(*rows))))
