"""Sessions that were kept: found, read, edited and deleted, each by those it belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload, undefer

from coqui_server.config.audio import Kind
from coqui_server.exceptions import NotFound, StillRunning
from coqui_server.principal import Scope
from coqui_server.store.database import Database
from coqui_server.store.ownership import owned
from coqui_server.store.recordings import Recordings
from coqui_server.store.search import folded, holds
from coqui_server.store.tables import SegmentRow, SessionRow


@dataclass(frozen=True)
class Page:
    """Some of the sessions that were found, newest first, and how many there are in all.

    Their `text` and `segments` are not loaded; `excerpt` is.
    """

    sessions: Sequence[SessionRow]
    total: int


class Sessions:
    """What was kept of sessions: their rows in `database`, and their sound.

    Every method takes whose sessions may be seen; others are as if they were not there. All raise
    `StoreError` when the database does not answer.
    """

    def __init__(self, database: Database, recordings: Recordings) -> None:
        self._database = database
        self.recordings = recordings

    async def find(
        self,
        scope: Scope,
        *,
        text: str = "",
        kind: Kind | None = None,
        owner: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        offset: int = 0,
        limit: int = 50,
    ) -> Page:
        """Newest first, those with all words of `text` somewhere in their text or label.

        Args:
            owner: a user's name, for those who see more than their own.
            since, until: opened at or after, and before.
        """
        wanted = select(SessionRow).where(owned(SessionRow.owner, scope))
        if text:
            wanted = wanted.where(holds(SessionRow.folded, text))
        if kind is not None:
            wanted = wanted.where(SessionRow.kind == kind)
        if owner is not None:
            wanted = wanted.where(SessionRow.owner == owner)
        if since is not None:
            wanted = wanted.where(SessionRow.start >= since)
        if until is not None:
            wanted = wanted.where(SessionRow.start < until)
        newest = wanted.order_by(SessionRow.start.desc(), SessionRow.id)
        counted = wanted.with_only_columns(func.count(), maintain_column_froms=True)
        async with self._database.reading() as transaction:
            total = await transaction.scalar(counted)
            found = await transaction.scalars(newest.offset(offset).limit(limit))
            return Page(found.all(), total or 0)

    async def get(self, scope: Scope, id: str) -> SessionRow:
        """A session with its text and segments.

        Raises:
            NotFound: there is none, or not of theirs.
        """
        wanted = select(SessionRow).where(SessionRow.id == id, owned(SessionRow.owner, scope))
        everything = (undefer(SessionRow.text), selectinload(SessionRow.segments))
        async with self._database.reading() as transaction:
            found = await transaction.scalar(wanted.options(*everything))
        if found is None:
            raise NotFound(f"no session {id} here")
        return found

    async def edit(self, scope: Scope, id: str, segment: int, text: str) -> SegmentRow:
        """Give a segment another text. The engine's is kept as `original`.

        Raises:
            NotFound: there is no such session or segment, or not of theirs.
        """
        wanted = select(SegmentRow).join(SessionRow).where(SegmentRow.id == segment)
        mine = (SessionRow.id == id, owned(SessionRow.owner, scope))
        async with self._database.writing() as transaction:
            found = await transaction.scalar(wanted.where(*mine))
            if found is None:
                raise NotFound(f"no segment {segment} in a session {id} here")
            if found.original is None:
                found.original = found.text
            found.text = text
            await transaction.flush()
            await sum_up(transaction, [id])
        return found

    async def delete(self, scope: Scope, id: str) -> None:
        """Remove a session, its segments and its sound.

        Raises:
            NotFound: as `get`.
            StillRunning: it is open.
        """
        wanted = select(SessionRow).where(SessionRow.id == id, owned(SessionRow.owner, scope))
        async with self._database.reading() as transaction:
            found = await transaction.scalar(wanted)
        if found is None:
            raise NotFound(f"no session {id} here")
        if found.state == "running":
            raise StillRunning(f"session {id} is still running")
        await self.remove([id])

    async def remove(self, ids: Sequence[str]) -> None:
        """Remove these sessions, whoever's they are: their sound first, so that none is left."""
        await self.recordings.remove(ids)
        async with self._database.writing() as transaction:
            await transaction.execute(delete(SessionRow).where(SessionRow.id.in_(ids)))


async def sum_up(transaction: AsyncSession, ids: Sequence[str]) -> None:
    """Make the text, the word count and what is searched of sessions that of their segments."""
    said: dict[str, list[str]] = {id: [] for id in ids}
    segments = select(SegmentRow.session, SegmentRow.text).where(SegmentRow.session.in_(ids))
    for id, text in await transaction.execute(segments.order_by(SegmentRow.id)):
        said[id].append(text)
    for session in await transaction.scalars(select(SessionRow).where(SessionRow.id.in_(ids))):
        session.text = " ".join(filter(None, said[session.id]))
        session.words = len(session.text.split())
        session.folded = folded(f"{session.label or ''} {session.text}")
