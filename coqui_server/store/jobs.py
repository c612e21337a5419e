"""The rows of the queue of files, each changed by those it belongs to."""

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
    """What is known of files that wait, run or are done. All methods raise `StoreError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, most: int, **about: Any) -> JobRow:
        """Another job at the end of the queue; `about` are the columns of `JobRow`.

        Raises:
            Busy: its owner has `most` open ones.
        """
        job = JobRow(state="pending", created=datetime.now(UTC), **about)
        mine = (owned(JobRow.owner, job.owner), JobRow.state.in_(_OPEN))
        async with self._database.writing() as transaction:
            waiting = await transaction.scalar(select(func.count(JobRow.id)).where(*mine))
            if (waiting or 0) >= most:
                raise Busy(f"{waiting} files wait already; try again later")
            transaction.add(job)
        return job

    async def find(self, scope: Scope, *, offset: int = 0, limit: int = 100) -> Sequence[JobRow]:
        """The newest first."""
        wanted = select(JobRow).where(owned(JobRow.owner, scope)).order_by(JobRow.id.desc())
        async with self._database.reading() as transaction:
            return (await transaction.scalars(wanted.offset(offset).limit(limit))).all()

    async def get(self, scope: Scope, id: int) -> JobRow:
        """One job.

        Raises:
            NotFound: there is none, or not of theirs.
        """
        async with self._database.reading() as transaction:
            return await _one(transaction, scope, id)

    async def next(self) -> JobRow | None:
        """Start the first pending job of somebody who has none running."""
        # NULL is equal to nothing, and those who are not signed in count as one user.
        owner = func.coalesce(JobRow.owner, "")
        busy = select(owner).where(JobRow.state == "processing")
        first = select(JobRow).where(JobRow.state == "pending", owner.not_in(busy))
        async with self._database.writing() as transaction:
            job = await transaction.scalar(first.order_by(JobRow.id).limit(1))
            if job:
                job.state, job.started = "processing", datetime.now(UTC)
            return job

    async def attach(self, id: int, session: str | None) -> None:
        """Say which session is the job's transcript."""
        async with self._database.writing() as transaction:
            wanted = update(JobRow).where(JobRow.id == id)
            await transaction.execute(wanted.values(session=session))

    async def settle(self, id: int, state: JobState, error: str | None = None) -> JobRow:
        """Say how a running job ended, or that it waits again."""
        async with self._database.writing() as transaction:
            job = (await transaction.scalars(select(JobRow).where(JobRow.id == id))).one()
            job.state, job.error = state, error
            job.ended = None if state == "pending" else datetime.now(UTC)
            return job

    async def cancel(self, scope: Scope, id: int) -> JobRow:
        """Take a pending job out of the queue; one in another state stays what it is.

        Raises:
            NotFound: as `get`.
        """
        async with self._database.writing() as transaction:
            job = await _one(transaction, scope, id)
            if job.state == "pending":
                job.state, job.ended = "cancelled", datetime.now(UTC)
            return job

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
            return job

    async def delete(self, scope: Scope, id: int) -> JobRow:
        """Forget a job that is over; its transcript stays.

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

    async def ended_before(self, moment: datetime, most: int) -> Sequence[JobRow]:
        """Jobs that were over then."""
        async with self._database.reading() as transaction:
            wanted = select(JobRow).where(JobRow.ended < moment).limit(most)
            return (await transaction.scalars(wanted)).all()

    async def recover(self) -> None:
        """Let what a daemon that died was working on wait again."""
        unfinished = update(JobRow).where(JobRow.state == "processing")
        async with self._database.writing() as transaction:
            await transaction.execute(unfinished.values(state="pending"))


async def _one(transaction: AsyncSession, scope: Scope, id: int) -> JobRow:
    wanted = select(JobRow).where(JobRow.id == id, owned(JobRow.owner, scope))
    job = await transaction.scalar(wanted)
    if job is None:
        raise NotFound(f"no job {id} here")
    return job
