"""Jobs as workers have them: taken for a time, renewed, ended, and taken away from the lost.

Whoever takes a job gets a token, which a later attempt makes stale. Every write names its token in
the same transaction, so that a worker that was paused for too long changes nothing any more. All
times are those of the database's clock.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from coqui_server.exceptions import StoreError, TakenOver
from coqui_server.store import clock
from coqui_server.store.database import Database
from coqui_server.store.jobs import written
from coqui_server.store.tables import JobRow, JobState


@dataclass(frozen=True)
class Token:
    """One attempt at a job."""

    job: int
    attempt: int


@dataclass(frozen=True)
class Report:
    """How far a job is: what part of it is done, and the seconds that the rest may take."""

    token: Token
    share: float
    left: float | None


class Claims:
    """The table of jobs, as workers use it. All methods raise `StoreError`.

    Args:
        lease: seconds for which a worker has a job, unless it renews that.
        attempts: how often a job is begun when its worker is lost or cannot go on.
    """

    def __init__(self, database: Database, lease: float, attempts: int) -> None:
        self._database = database
        self._lease = lease
        self._attempts = attempts

    async def take(self, worker: str, engines: Collection[str]) -> JobRow | None:
        """Begin the next job that can be begun with these engines; None if there is none.

        Users take turns. Each has one job that runs.
        """
        while True:
            try:
                return await self._take(worker, engines)
            except StoreError as fault:
                # Another worker has begun a job of the same user in this moment.
                if not fault.refused:
                    raise

    async def _take(self, worker: str, engines: Collection[str]) -> JobRow | None:
        first = select(JobRow).where(_startable(), _able(engines))
        first = first.order_by(JobRow.turn, JobRow.id).limit(1)
        async with self._database.writing() as transaction:
            job = await transaction.scalar(first.with_for_update(skip_locked=True))
            if job:
                job.state, job.running = "processing", job.owner or ""
                job.attempt, job.worker = job.attempt + 1, worker
                job.started, job.lease = clock.now(), clock.now(self._lease)
                job.share, job.left, job.after = 0.0, None, None
                await written(transaction, job)
            return job

    async def engines_wanted(self) -> Sequence[str | None]:
        """The engines of the jobs that could be begun now; None is the default one."""
        wanted = select(JobRow.engine).where(_startable()).distinct()
        async with self._database.reading() as transaction:
            return (await transaction.scalars(wanted)).all()

    async def renew(self, reports: Iterable[Report]) -> dict[Token, bool]:
        """Keep jobs for another while, and store how far they are.

        Returns:
            The tokens that are not stale, and whether their jobs were cancelled.
        """
        kept: dict[Token, bool] = {}
        async with self._database.writing() as transaction:
            # In one order everywhere, so that two transactions cannot wait for each other.
            for report in sorted(reports, key=lambda report: report.token.job):
                values = {"share": report.share, "left": report.left}
                row = update(JobRow).where(_held([report.token]))
                row = row.values(lease=clock.now(self._lease), **values).returning(JobRow.stopping)
                stopping = (await transaction.scalars(row)).one_or_none()
                if stopping is not None:
                    kept[report.token] = stopping
        return kept

    async def end(self, token: Token, state: JobState, error: str | None = None) -> JobRow:
        """Set how a job ended, or that it waits again.

        Raises:
            TakenOver: the token is stale.
        """
        async with self._database.writing() as transaction:
            job = await _mine(transaction, token)
            _close(job, state, error)
            return await written(transaction, job)

    async def lose(self, token: Token, error: str) -> JobRow:
        """Let a job wait again whose worker could not go on, unless that happened too often. It is
        begun again when as much time has passed as a lease has.

        Raises:
            TakenOver: the token is stale.
        """
        async with self._database.writing() as transaction:
            job = await _mine(transaction, token)
            self._lose(job, error)
            job.after = clock.now(self._lease)
            return await written(transaction, job)

    async def expire(self, besides: str | None = None) -> list[JobRow]:
        """Take the jobs away from workers whose time is over: they are lost, or paused.

        Args:
            besides: a worker that is not: the one that asks.
        """
        late = select(JobRow).where(JobRow.state == "processing", JobRow.lease < clock.now())
        if besides is not None:
            late = late.where(JobRow.worker != besides)
        return await self._lose_all(late)

    async def recover(self, worker: str | None) -> list[JobRow]:
        """Take the jobs away that a worker of this name had when it died; None is any worker."""
        left = select(JobRow).where(JobRow.state == "processing")
        if worker is not None:
            left = left.where(JobRow.worker == worker)
        return await self._lose_all(left)

    async def _lose_all(self, jobs: Select[JobRow]) -> list[JobRow]:
        async with self._database.writing() as transaction:
            locked = jobs.order_by(JobRow.id).with_for_update(skip_locked=True)
            lost = list(await transaction.scalars(locked))
            for job in lost:
                self._lose(job, f"the worker {job.worker} was lost")
            return [await written(transaction, job) for job in lost]

    def _lose(self, job: JobRow, error: str) -> None:
        job.lost += 1
        if job.lost < self._attempts or job.stopping:
            _close(job, "pending")
        else:
            _close(job, "failed", f"{error} (attempt {job.lost} of {self._attempts})")


async def check(transaction: AsyncSession, tokens: Collection[Token]) -> None:
    """Make sure that these tokens are not stale, until the end of the transaction.

    Raises:
        TakenOver: one of them is.
    """
    held = select(JobRow.id).where(_held(tokens)).order_by(JobRow.id)
    if len((await transaction.scalars(held.with_for_update(key_share=True))).all()) < len(tokens):
        raise TakenOver


async def attach(transaction: AsyncSession, token: Token, session: str) -> None:
    """Set the session that is the transcript of a job, whose token was checked."""
    row = update(JobRow).where(JobRow.id == token.job)
    await transaction.execute(row.values(session=session))


async def _mine(transaction: AsyncSession, token: Token) -> JobRow:
    job = await transaction.scalar(select(JobRow).where(_held([token])).with_for_update())
    if job is None:
        raise TakenOver
    return job


def _held(tokens: Collection[Token]) -> ColumnElement[bool]:
    """The condition that a job runs under one of these tokens."""
    attempts = [(token.job, token.attempt) for token in tokens]
    return (JobRow.state == "processing") & tuple_(JobRow.id, JobRow.attempt).in_(attempts)


def _startable() -> ColumnElement[bool]:
    """The condition that a job waits, and that its owner has none that runs."""
    # NULL is equal to nothing, but all jobs without an owner count as those of one user.
    busy = select(JobRow.running).where(JobRow.running.is_not(None))
    free = func.coalesce(JobRow.owner, "").not_in(busy)
    due = or_(JobRow.after.is_(None), JobRow.after < clock.now())
    return and_(JobRow.state == "pending", free, due)


def _able(engines: Collection[str]) -> ColumnElement[bool]:
    return or_(JobRow.engine.is_(None), JobRow.engine.in_(engines))


def _close(job: JobRow, state: JobState, error: str | None = None) -> None:
    """Set what a job becomes that runs no more. One that was cancelled does not wait again."""
    if state == "pending" and job.stopping:
        state = "cancelled"
    job.state, job.error = state, error
    job.running, job.lease = None, None
    job.share, job.left = float(state == "completed"), None
    job.ended = None if state == "pending" else clock.now()
