"""The servers that share a database: each says that it lives, and closes what a dead one left.

All times are those of the database's clock, so the clocks of the servers do not matter.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from sqlalchemy import case, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from coqui_server.exceptions import StoreError
from coqui_server.store.database import Database
from coqui_server.store.interruption import end_of, interrupt
from coqui_server.store.recordings import Recordings
from coqui_server.store.tables import ReplicaRow, SessionRow
from coqui_server.transcription.events import Sink

_BEATS, _LONGEST_PAUSE, _RETRY = 4, 5.0, 1.0
"""How often in a lease a server says that it lives; seconds between two times at most; and after
the database failed."""

_log = logging.getLogger(__name__)


class Replicas:
    """This server among those of a database.

    A server whose lease is over is dead, if this one has been heard of without a break for a lease
    itself: otherwise the database was away, and the others had no chance either.

    Args:
        run: what this server is called; no other has, or had, this name.
        lease: seconds.
    """

    def __init__(self, database: Database, recordings: Recordings, run: str, lease: float) -> None:
        self.run = run
        self._database = database
        self._recordings = recordings
        self._lease = lease

    @asynccontextmanager
    async def kept(self, told: Sink) -> AsyncIterator[None]:
        """Live among the others during the block.

        Args:
            told: gets the ends of the sessions of servers that died.

        Raises:
            StoreError: the database failed at the start.
        """
        await self.beat(told)
        beating = asyncio.create_task(self._beat_for_ever(told))
        try:
            yield
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
            await self._leave()

    async def beat(self, told: Sink) -> None:
        """Say that this server lives, and close what dead ones left.

        Raises:
            StoreError: the database or the disk failed.
        """
        long_ago = func.now() - timedelta(seconds=self._lease)
        since = case((ReplicaRow.seen < long_ago, func.now()), else_=ReplicaRow.steady)
        own = insert(ReplicaRow).values(id=self.run, seen=func.now(), steady=func.now())
        steady = select(ReplicaRow.steady).where(ReplicaRow.id == self.run).scalar_subquery()
        dead = delete(ReplicaRow).where(ReplicaRow.seen < long_ago, steady <= long_ago)
        async with self._database.writing() as transaction:
            again = own.on_conflict_do_update(
                index_elements=["id"], set_={"seen": func.now(), "steady": since}
            )
            await transaction.execute(again)
            gone = (await transaction.scalars(dead.returning(ReplicaRow.id))).all()
        for run in gone:
            _log.warning("the server %s has not been heard of for %g s", run, self._lease)
        nobody = or_(SessionRow.replica.is_(None), SessionRow.replica.not_in(select(ReplicaRow.id)))
        for row in await interrupt(self._database, self._recordings, nobody):
            await told(end_of(row))

    async def _beat_for_ever(self, told: Sink) -> None:
        usual = min(self._lease / _BEATS, _LONGEST_PAUSE)
        heard = True
        while True:
            await asyncio.sleep(usual if heard else min(usual, _RETRY))
            try:
                await self.beat(told)
                heard = True
            except StoreError as fault:
                if heard:
                    _log.warning("the other servers cannot hear of this one: %s", fault)
                heard = False

    async def _leave(self) -> None:
        """Let the others know at once that it is over."""
        try:
            async with self._database.writing() as transaction:
                await transaction.execute(delete(ReplicaRow).where(ReplicaRow.id == self.run))
        except StoreError as fault:
            _log.debug("this server could not take its leave: %s", fault)
