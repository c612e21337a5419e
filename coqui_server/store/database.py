"""The database: opened, with its schema brought up to date."""

import errno
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from coqui_server import extras
from coqui_server.config.store import StoreSettings
from coqui_server.exceptions import ConfigError, StoreError
from coqui_server.store.locks import locked

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
_MIGRATIONS = Path(__file__).with_name("migrations")

_LOCK_TIMEOUT = 5.0
"""Seconds to wait for a lock of another program."""

_MIGRATING = 0x6D696772617465
"""The key of PostgreSQL's lock for migrations: "migrate"."""

_FULL = (13, "53100")
"""A full disk: SQLITE_FULL, and PostgreSQL's disk_full."""

_REFUSED = (19, "22", "23")
"""Values that a column or table does not take: SQLITE_CONSTRAINT, PostgreSQL's classes 22, 23."""


class Database:
    """Transactions. Every failure of the database is a `StoreError`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._reading = engine
        # A transaction that reads first and then writes cannot wait for SQLite's one writer.
        self._writing = engine.execution_options(begin="IMMEDIATE")

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A transaction that changes nothing."""
        with faults():
            async with AsyncSession(self._reading) as session:
                yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """A transaction that is committed at the end of the block, or rolled back by an error.

        Read what it changed before the end of the block.
        """
        opening = AsyncSession(self._writing, expire_on_commit=False)
        with faults():
            async with opening as session, session.begin():
                yield session


@asynccontextmanager
async def opened(settings: StoreSettings, *, shared: bool = False) -> AsyncIterator[Database]:
    """The database of these settings, with all tables as this version has them. It is ours alone,
    or `shared` with servers that share it, too.

    Raises:
        ConfigError: it cannot be opened, is from a later version, or another server uses it.
    """
    url = address(settings, shared=shared)
    if url.get_backend_name() == "sqlite":
        _make_folder(settings, url)
    async with AsyncExitStack() as parts:
        with _opening():
            await parts.enter_async_context(locked(url, shared=shared))
        engine = _engine(url)
        parts.push_async_callback(engine.dispose)
        with _opening():
            await _migrate(engine)
        yield Database(engine)


def address(settings: StoreSettings, *, shared: bool = False) -> URL:
    """Where the database is.

    Raises:
        ConfigError: `store.url` is not an address, its driver is not installed, or it cannot be
            `shared`.
    """
    if settings.url is None and shared:
        allowed = "allowed with cluster.redis: postgresql://user@host/name"
        raise ConfigError("store.url", f"found null, {allowed}; SQLite is for one server alone")
    if settings.url is None:
        file = settings.path / "coqui_server.db"
        return URL.create(_DRIVERS["sqlite"], database=str(file))
    allowed = "allowed: postgresql://user@host/name, or null"
    try:
        url = make_url(settings.url.get_secret_value())
    except ArgumentError as wrong:
        raise ConfigError("store.url", f"not an address; {allowed}") from wrong
    if url.drivername not in _DRIVERS:
        raise ConfigError("store.url", f"found {url.drivername}://…, {allowed}")
    if url.drivername == "postgresql":
        for missing in extras.missing("postgresql"):
            raise missing
    return url.set(drivername=_DRIVERS[url.drivername])


def _make_folder(settings: StoreSettings, url: URL) -> None:
    folder = Path(url.database or "").parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        problem = f'found "{folder}", allowed: a folder that can be made ({error.strerror})'
        raise ConfigError("store.path", problem) from error


def _engine(url: URL) -> AsyncEngine:
    if url.get_backend_name() != "sqlite":
        return create_async_engine(url, pool_pre_ping=True)
    engine = create_async_engine(url, connect_args={"timeout": _LOCK_TIMEOUT})

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        # Otherwise Python's sqlite3 begins transactions by itself, and only before it writes.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        kind = connection.get_execution_options().get("begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {kind}")

    return engine


async def _migrate(engine: AsyncEngine) -> None:
    async with engine.execution_options(begin="IMMEDIATE").begin() as connection:
        await connection.run_sync(_upgrade)


@contextmanager
def _opening() -> Iterator[None]:
    """Turn the errors of opening a database into `ConfigError`."""
    try:
        yield
    except CommandError as error:
        raise ConfigError("store", f"the database is from a later version ({error})") from error
    except (DBAPIError, OSError) as error:
        raise ConfigError("store", f"the database cannot be opened: {_reason(error)}") from error


def _upgrade(connection: Connection) -> None:
    # Servers that share the database may start at the same time.
    _alone(connection, _MIGRATING)
    configuration = Config()
    configuration.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    configuration.attributes["connection"] = connection
    command.upgrade(configuration, "head")


async def alone(transaction: AsyncSession, key: int) -> None:
    """Let no other transaction go on that says the same, before this one has ended."""
    await (await transaction.connection()).run_sync(_alone, key)


def _alone(connection: Connection, key: int) -> None:
    # SQLite has one writer at a time anyway.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


@contextmanager
def faults() -> Iterator[None]:
    """Turn the errors of a database, and of the connection to it, into `StoreError`."""
    try:
        yield
    except (DBAPIError, PoolTimeout, OSError) as error:
        code = _code(error)
        raise StoreError(
            _reason(error),
            full=code in _FULL or getattr(error, "errno", None) == errno.ENOSPC,
            refused=code in _REFUSED or str(code)[:2] in _REFUSED,
        ) from error


def _code(error: BaseException) -> object:
    """SQLite's primary result code, or PostgreSQL's SQLSTATE."""
    original = getattr(error, "orig", error)
    sqlite: int | None = getattr(original, "sqlite_errorcode", None)
    return getattr(original, "sqlstate", None) if sqlite is None else sqlite & 0xFF


def _reason(error: BaseException) -> str:
    """The reason without paths, statements and their values, which may contain transcripts."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    original = getattr(error, "orig", None) or error
    return str(original).partition("\n")[0].rpartition("'>: ")[2]
