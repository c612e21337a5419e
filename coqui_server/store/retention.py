"""Deleting what is too old, and the oldest when there is too much."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from coqui_server.exceptions import StoreError
from coqui_server.store.database import Database
from coqui_server.store.sessions import Sessions
from coqui_server.store.tables import SessionRow
from coqui_server.store_settings import RetentionSettings

_PERIOD = 3600.0
"""Seconds between two looks."""

_AT_ONCE = 500
"""Sessions deleted in one transaction, so that others get their turn."""

_log = logging.getLogger(__name__)


@asynccontextmanager
async def kept_tidy(
    database: Database, sessions: Sessions, settings: RetentionSettings
) -> AsyncIterator[None]:
    """Tidy now and then while the block lasts, if there is anything to go by."""

    async def tidy_for_ever() -> None:
        while True:
            try:
                await tidy(database, sessions, settings, datetime.now(UTC))
            except StoreError as fault:
                _log.warning("what is too old was not deleted: %s", fault)
            await asyncio.sleep(_PERIOD)

    if settings.age is None and settings.size is None:
        yield
        return
    tidying = asyncio.create_task(tidy_for_ever())
    try:
        yield
    finally:
        tidying.cancel()
        await asyncio.gather(tidying, return_exceptions=True)


async def tidy(
    database: Database, sessions: Sessions, settings: RetentionSettings, now: datetime
) -> None:
    """Delete sessions, with their sound, that began more than `age` before `now`; then the oldest
    recorded ones while all sound together is more than `size`. Those that run are left.

    Raises:
        StoreError: the database or the disk refused.
    """
    while expired := await _expired(database, settings, now) or await _surplus(database, settings):
        _log.info("%d sessions are deleted to keep to store.retention", len(expired))
        await sessions.remove(expired)


async def _expired(database: Database, settings: RetentionSettings, now: datetime) -> list[str]:
    if settings.age is None:
        return []
    old = SessionRow.start < now - timedelta(seconds=settings.age)
    wanted = select(SessionRow.id).where(old, SessionRow.state != "running")
    async with database.reading() as transaction:
        return list(await transaction.scalars(wanted.limit(_AT_ONCE)))


async def _surplus(database: Database, settings: RetentionSettings) -> list[str]:
    """The oldest sessions with sound, as many as have to go."""
    if settings.size is None:
        return []
    recorded = (SessionRow.recording > 0, SessionRow.state != "running")
    wanted = select(SessionRow.id, SessionRow.recording).where(*recorded)
    async with database.reading() as transaction:
        total = await transaction.scalar(select(func.sum(SessionRow.recording)).where(*recorded))
        surplus = (total or 0) - settings.size
        oldest = await transaction.execute(wanted.order_by(SessionRow.start).limit(_AT_ONCE))
        going: list[str] = []
        for id, size in oldest:
            if surplus <= 0:
                break
            going.append(id)
            surplus -= size
        return going
