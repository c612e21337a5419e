"""The table of jobs, as their owners use it. Every query is limited to a scope."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Function, Select, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from coqui_server.exceptions import Busy, NotFound, StillRunning
from coqui_server.principal import EVERYBODY, Scope
from coqui_server.store import clock
from coqui_server.store.database import Database
from coqui_server.store.ownership import owned
from coqui_server.store.tables import JobRow, JobState

_OPEN: tuple[JobState, ...] = ("pending", "processing")


class Jobs:
    """Files that wait, run or have ended. All methods raise `StoreError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, limit: int, **columns: Any) -> JobRow:
        """Add a job at the end of the queue.

        Args:
            limit: of open jobs of one owner.
            columns: of `JobRow`.

        Raises:
            Busy: its owner has reached the limit.
        """
        job = JobRow(state="pending", created=clock.now(), **columns)
        async with self._database.writing() as transaction:
            waiting = await transaction.scalar(_open(job.owner, func.count(JobRow.id)))
            if (waiting or 0) >= limit:
                raise Busy(f"{waiting} files wait already; try again later")
            job.turn = await _next_turn(transaction, job.owner)
            transaction.add(job)
            return await written(transaction, job)

    async def find(self, scope: Scope, *, offset: int = 0, limit: int = 100) -> Sequence[JobRow]:
        """The newest first."""
        query = select(JobRow).where(owned(JobRow.owner, scope)).order_by(JobRow.id.desc())
        async with self._database.reading() as transaction:
            return (await transaction.scalars(query.offset(offset).limit(limit))).all()

    async def get(self, scope: Scope, id: int) -> JobRow:
        """One job.

        Raises:
            NotFound: there is none in this scope.
        """
        async with self._database.reading() as transaction:
            job = await transaction.scalar(_row(scope, id))
        if job is None:
            raise _missing(id)
        return job

    async def open(self) -> dict[int, tuple[JobState, int]]:
        """The state of all that wait or run, and how many per cent are done."""
        query = select(JobRow.id, JobRow.state, JobRow.share).where(JobRow.state.in_(_OPEN))
        async with self._database.reading() as transaction:
            rows = await transaction.execute(query)
            return {id: (state, int(100 * share)) for id, state, share in rows}

    async def cancel(self, scope: Scope, id: int) -> JobRow:
        """Take a pending job out of the queue. The worker of one that runs will hear of it.

        Raises:
            NotFound: as `get`.
        """
        async with self._database.writing() as transaction:
            job = await _locked(transaction, scope, id)
            if job.state == "pending":
                job.state, job.ended = "cancelled", clock.now()
            job.stopping = job.state == "processing"
            return await written(transaction, job)

    async def retry(self, scope: Scope, id: int) -> JobRow:
        """Let a job that failed or was cancelled wait again, in its old place.

        Raises:
            NotFound: as `get`.
            StillRunning: it is open. One that is completed stays so.
        """
        async with self._database.writing() as transaction:
            job = await _locked(transaction, scope, id)
            if job.state in _OPEN:
                raise StillRunning(f"job {id} has not ended")
            if job.state != "completed":
                job.state, job.error, job.ended = "pending", None, None
                job.stopping, job.lost, job.after = False, 0, None
            return await written(transaction, job)

    async def delete(self, scope: Scope, id: int) -> JobRow:
        """Delete a job that has ended; its transcript stays.

        Raises:
            NotFound: as `get`.
            StillRunning: it is open.
        """
        async with self._database.writing() as transaction:
            job = await _locked(transaction, scope, id)
            if job.state in _OPEN:
                raise StillRunning(f"job {id} has not ended")
            await transaction.execute(delete(JobRow).where(JobRow.id == id))
            return job

    async def ended_before(self, moment: datetime, limit: int) -> Sequence[JobRow]:
        """Up to `limit` jobs that ended before this moment."""
        async with self._database.reading() as transaction:
            query = select(JobRow).where(JobRow.ended < moment).limit(limit)
            return (await transaction.scalars(query)).all()


async def written(transaction: AsyncSession, job: JobRow) -> JobRow:
    """Write a job, and read the columns that come from its session, which writing forgets."""
    await transaction.flush()
    await transaction.refresh(job)
    return job


def _row(scope: Scope, id: int) -> Select[JobRow]:
    return select(JobRow).where(JobRow.id == id, owned(JobRow.owner, scope))


async def _locked(transaction: AsyncSession, scope: Scope, id: int) -> JobRow:
    """One job, which no worker begins or ends before the transaction does."""
    job = await transaction.scalar(_row(scope, id).with_for_update())
    if job is None:
        raise _missing(id)
    return job


def _missing(id: int) -> NotFound:
    return NotFound(f"no job {id} here")


def _open(scope: Scope, number: Function[int]) -> Select[int]:
    """A number of the open jobs in a scope."""
    return select(number).where(owned(JobRow.owner, scope), JobRow.state.in_(_OPEN))


async def _next_turn(transaction: AsyncSession, owner: str | None) -> int:
    """The turn of another job: after its owner's others, and beside the first ones of the users
    that came before, so that nobody waits for all files of somebody else (start-time fair queuing,
    Goyal, Vin and Cheng, 1996)."""
    first = await transaction.scalar(_open(EVERYBODY, func.min(JobRow.turn)))
    last = await transaction.scalar(_open(owner, func.max(JobRow.turn)))
    return max(first or 0, 0 if last is None else last + 1)
