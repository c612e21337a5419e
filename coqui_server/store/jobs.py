"""The table of jobs. Every query is limited to a scope."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from coqui_server.exceptions import Busy, NotFound, StillRunning
from coqui_server.principal import Scope
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
        job = JobRow(state="pending", created=datetime.now(UTC), **columns)
        open = (owned(JobRow.owner, job.owner), JobRow.state.in_(_OPEN))
        async with self._database.writing() as transaction:
            waiting = await transaction.scalar(select(func.count(JobRow.id)).where(*open))
            if (waiting or 0) >= limit:
                raise Busy(f"{waiting} files wait already; try again later")
            transaction.add(job)
            return await _written(transaction, job)

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
            return await _one(transaction, scope, id)

    async def next(self) -> JobRow | None:
        """Start the first pending job whose owner has none running."""
        # NULL is equal to nothing, but all jobs without an owner count as those of one user.
        owner = func.coalesce(JobRow.owner, "")
        busy = select(owner).where(JobRow.state == "processing")
        first = select(JobRow).where(JobRow.state == "pending", owner.not_in(busy))
        async with self._database.writing() as transaction:
            job = await transaction.scalar(first.order_by(JobRow.id).limit(1))
            if job:
                job.state, job.started = "processing", datetime.now(UTC)
                await _written(transaction, job)
            return job

    async def attach(self, id: int, session: str | None) -> None:
        """Set the session that is the job's transcript."""
        async with self._database.writing() as transaction:
            row = update(JobRow).where(JobRow.id == id)
            await transaction.execute(row.values(session=session))

    async def end(self, id: int, state: JobState, error: str | None = None) -> JobRow:
        """Set how a running job ended, or that it waits again."""
        async with self._database.writing() as transaction:
            job = (await transaction.scalars(select(JobRow).where(JobRow.id == id))).one()
            job.state, job.error = state, error
            job.ended = None if state == "pending" else datetime.now(UTC)
            return await _written(transaction, job)

    async def cancel(self, scope: Scope, id: int) -> JobRow:
        """Take a pending job out of the queue; one in another state stays what it is.

        Raises:
            NotFound: as `get`.
        """
        async with self._database.writing() as transaction:
            job = await _one(transaction, scope, id)
            if job.state == "pending":
                job.state, job.ended = "cancelled", datetime.now(UTC)
            return await _written(transaction, job)

    async def retry(self, scope: Scope, id: int) -> JobRow:
        """Let a job that failed or was cancelled wait again, in its old place.

        Raises:
            NotFound: as `get`.
            StillRunning: it is open. One that is completed stays so.
        """
        async with self._database.writing() as transaction:
            job = await _one(transaction, scope, id)
            if job.state in _OPEN:
                raise StillRunning(f"job {id} has not ended")
            if job.state != "completed":
                job.state, job.error, job.ended = "pending", None, None
            return await _written(transaction, job)

    async def delete(self, scope: Scope, id: int) -> JobRow:
        """Delete a job that has ended; its transcript stays.

        Raises:
            NotFound: as `get`.
            StillRunning: it is open.
        """
        async with self._database.writing() as transaction:
            job = await _one(transaction, scope, id)
            if job.state in _OPEN:
                raise StillRunning(f"job {id} has not ended")
            await transaction.execute(delete(JobRow).where(JobRow.id == id))
            return job

    async def ended_before(self, moment: datetime, limit: int) -> Sequence[JobRow]:
        """Up to `limit` jobs that ended before this moment."""
        async with self._database.reading() as transaction:
            query = select(JobRow).where(JobRow.ended < moment).limit(limit)
            return (await transaction.scalars(query)).all()

    async def recover(self) -> None:
        """Make jobs pending again that ran when a daemon died."""
        unfinished = update(JobRow).where(JobRow.state == "processing")
        async with self._database.writing() as transaction:
            await transaction.execute(unfinished.values(state="pending"))


async def _written(transaction: AsyncSession, job: JobRow) -> JobRow:
    """Write a job, and read the columns that come from its session, which writing forgets."""
    await transaction.flush()
    await transaction.refresh(job)
    return job


async def _one(transaction: AsyncSession, scope: Scope, id: int) -> JobRow:
    query = select(JobRow).where(JobRow.id == id, owned(JobRow.owner, scope))
    job = await transaction.scalar(query)
    if job is None:
        raise NotFound(f"no job {id} here")
    return job
