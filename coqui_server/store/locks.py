"""One daemon owns a store, or several share it: the lock that no other one can take.

Both locks end with the process that holds them, also when it is killed.
"""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from coqui_server.exceptions import ConfigError

_KEY = 0x636F717569
"""Of PostgreSQL's advisory lock, which belongs to one database: "coqui"."""

_PATIENCE, _PAUSE = 5.0, 0.1
"""Seconds until a holder is taken for alive, and between two attempts. PostgreSQL needs a moment
to notice that a daemon was killed."""

_WATCH = 5.0
"""Seconds between two checks of the connection that holds the lock: PostgreSQL may be restarted."""

_TAKE = "SELECT pg_try_advisory_lock(:key)"
_SHARE = "SELECT pg_try_advisory_lock_shared(:key)"
_HOLDER = """
SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32) + objid::bigint = :key
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

_log = logging.getLogger(__name__)


@asynccontextmanager
async def locked(url: URL, *, shared: bool = False) -> AsyncIterator[None]:
    """Own the database for the time of the block.

    Args:
        shared: own it together with others that share it.

    Raises:
        ConfigError: another daemon owns it; the message says which.
    """
    sqlite = url.get_backend_name() == "sqlite"
    async with _file_lock(url) if sqlite else _advisory_lock(url, _SHARE if shared else _TAKE):
        yield


@asynccontextmanager
async def _file_lock(url: URL) -> AsyncIterator[None]:
    owner = Path(f"{url.database}.owner")
    lock = FileLock(f"{url.database}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise _held(owner.read_text(encoding="utf-8") if owner.exists() else "") from None
    except OSError as error:
        raise ConfigError("store", f"{lock.lock_file} cannot be locked: {error}") from error
    try:
        owner.write_text(_self(), encoding="utf-8")
        yield
    finally:
        lock.release()


@asynccontextmanager
async def _advisory_lock(url: URL, take: str) -> AsyncIterator[None]:
    settings = {"application_name": _self()[:63], "tcp_keepalives_idle": "10"}
    arguments = {"server_settings": settings}
    engine = create_async_engine(url, connect_args=arguments, poolclass=NullPool)
    held = _Advisory(engine.execution_options(isolation_level="AUTOCOMMIT"), take)
    try:
        await held.wait()
        watching = asyncio.create_task(held.watch())
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
    finally:
        await held.close()
        await engine.dispose()


class _Advisory:
    """PostgreSQL's lock, held by a connection of its own. The server frees it with that.

    Args:
        take: the query that takes it.
    """

    def __init__(self, engine: AsyncEngine, take: str) -> None:
        self._engine = engine
        self._query = text(take)
        self._connection: AsyncConnection | None = None

    async def wait(self) -> None:
        """Take the lock, and wait a moment for a daemon that was killed.

        Raises:
            ConfigError: another daemon holds it.
        """
        clock = asyncio.get_running_loop().time
        deadline = clock() + _PATIENCE
        while (holder := await self._take()) is not None:
            if clock() > deadline:
                raise _held(holder)
            await asyncio.sleep(_PAUSE)

    async def watch(self) -> None:
        """Take the lock again whenever its connection is lost."""
        while True:
            await asyncio.sleep(_WATCH)
            try:
                await self._check()
            except (DBAPIError, OSError) as error:
                _log.debug("the lock of the store cannot be taken again now: %s", type(error))
                await self.close()

    async def close(self) -> None:
        """Free the lock."""
        connection, self._connection = self._connection, None
        if connection:
            try:
                await connection.close()
            except (DBAPIError, OSError) as error:
                _log.debug("the connection of the lock was lost: %s", type(error))

    async def _check(self) -> None:
        if self._connection:
            await self._connection.execute(text("SELECT 1"))
        elif (holder := await self._take()) is not None:
            _log.error("%s", _held(holder))

    async def _take(self) -> str | None:
        """Try to take the lock; who holds it, if it is taken."""
        connection = await self._engine.connect()
        try:
            taken = await connection.scalar(self._query, {"key": _KEY})
            if taken:
                self._connection = connection
                return None
            return str(await connection.scalar(text(_HOLDER), {"key": _KEY}) or "")
        finally:
            if self._connection is not connection:
                await connection.close()


def _self() -> str:
    return f"coqui_server, process {os.getpid()} on {socket.gethostname()}"


def _held(holder: str) -> ConfigError:
    problem = f"another server uses this store: {holder.strip() or 'unknown'}; stop it first"
    several = "several servers share one only if all of them have cluster.redis"
    return ConfigError("store", f"{problem} ({several})")
