"""Moves recordings that are complete from this machine to where all servers find them."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import select

from coqui_server.backoff import backoff
from coqui_server.exceptions import StoreError
from coqui_server.store.database import Database
from coqui_server.store.recordings import Recordings
from coqui_server.store.tables import SessionRow

_PAUSE = 1.0
"""Seconds after which a recording is tried again that could not be moved, at first."""

_FAREWELL = 30.0
"""Seconds for what is not moved yet when a process ends. A later one moves the rest."""

_log = logging.getLogger(__name__)


@asynccontextmanager
async def moved(database: Database, recordings: Recordings) -> AsyncIterator[None]:
    """Move recordings while the block lasts, also those that an earlier process left here."""
    for session in recordings.left():
        recordings.moving.put_nowait(session)
    moving = asyncio.create_task(_move_for_ever(database, recordings), name="recordings")
    try:
        yield
    finally:
        leaving = asyncio.create_task(recordings.moving.join())
        await asyncio.wait((leaving,), timeout=_FAREWELL)
        moving.cancel()
        leaving.cancel()
        await asyncio.gather(moving, leaving, return_exceptions=True)


async def _move_for_ever(database: Database, recordings: Recordings) -> None:
    failures = 0
    while True:
        session = await recordings.moving.get()
        try:
            await _move(database, recordings, session)
            failures = 0
        except StoreError as fault:
            failures += 1
            if failures == 1:
                _log.warning("session %s: its recording stays here for now: %s", session, fault)
            recordings.moving.put_nowait(session)
            await asyncio.sleep(backoff(failures, _PAUSE))
        finally:
            recordings.moving.task_done()


async def _move(database: Database, recordings: Recordings, session: str) -> None:
    await recordings.move(session)
    known = select(SessionRow.id).where(SessionRow.id == session)
    async with database.reading() as transaction:
        deleted = await transaction.scalar(known) is None
    if deleted:
        await recordings.remove([session])
