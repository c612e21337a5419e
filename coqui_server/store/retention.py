"""Deleting what is too old, and the oldest when there is too much."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from coqui_server.config.store import RetentionSettings
from coqui_server.exceptions import RequestError
from coqui_server.principal import EVERYBODY
from coqui_server.store.database import Database
from coqui_server.store.jobs import Jobs
from coqui_server.store.sessions import Sessions
from coqui_server.store.tables import SessionRow
from coqui_server.store.uploads import Uploads

_PERIOD = 3600.0
"""Seconds between two looks."""

_AT_ONCE = 500
"""Sessions deleted in one transaction, so that others get their turn."""

_NEVER = datetime.fromtimestamp(0, UTC)
"""Before anything was kept."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Retention:
    """Deletes by `settings` what `database` and the others have."""

    database: Database
    sessions: Sessions
    jobs: Jobs
    uploads: Uploads
    settings: RetentionSettings

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Tidy at once and every hour while the block lasts, if there is anything to go by."""
        if self.settings.age is None and self.settings.size is None:
            yield
            return
        tidying = asyncio.create_task(self._tidy_for_ever())
        try:
            yield
        finally:
            tidying.cancel()
            await asyncio.gather(tidying, return_exceptions=True)

    async def tidy(self, now: datetime) -> None:
        """Delete sessions, with their sound, that began more than `age` before `now`, and jobs that
        ended before that; then the oldest recorded sessions while all sound together is more than
        `size`. What runs is left.

        Raises:
            StoreError: the database or the disk refused.
        """
        age = self.settings.age
        oldest = _NEVER if age is None else now - timedelta(seconds=age)
        while sessions := await self._begun_before(oldest) or await self._surplus():
            _log.info("%d sessions are deleted to keep to store.retention", len(sessions))
            await self.sessions.remove(sessions)
        while jobs := await self.jobs.ended_before(oldest, _AT_ONCE):
            for job in jobs:
                await self.jobs.delete(EVERYBODY, job.id)
                await self.uploads.remove(job.upload)

    async def _tidy_for_ever(self) -> None:
        while True:
            try:
                await self.tidy(datetime.now(UTC))
            # A job that somebody tries again in this moment is not deleted either.
            except RequestError as fault:
                _log.warning("what is too old was not deleted: %s", fault)
            await asyncio.sleep(_PERIOD)

    async def _begun_before(self, oldest: datetime) -> list[str]:
        over = (SessionRow.start < oldest, SessionRow.state != "running")
        async with self.database.reading() as transaction:
            query = select(SessionRow.id).where(*over).limit(_AT_ONCE)
            return list(await transaction.scalars(query))

    async def _surplus(self) -> list[str]:
        """The oldest sessions with sound, as many as have to go."""
        if self.settings.size is None:
            return []
        recorded = (SessionRow.recording > 0, SessionRow.state != "running")
        query = select(SessionRow.id, SessionRow.recording).where(*recorded)
        all_sound = select(func.sum(SessionRow.recording)).where(*recorded)
        async with self.database.reading() as transaction:
            surplus = (await transaction.scalar(all_sound) or 0) - self.settings.size
            oldest = await transaction.execute(query.order_by(SessionRow.start).limit(_AT_ONCE))
            going: list[str] = []
            for id, size in oldest:
                if surplus <= 0:
                    break
                going.append(id)
                surplus -= size
            return going
