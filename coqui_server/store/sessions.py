"""Stored sessions: find, read, edit, delete. Every query is limited to a scope."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, select, update
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
    """Some of the sessions of a search, newest first, and their number in all.

    Their `text` and `segments` are not loaded; `excerpt` is.
    """

    sessions: Sequence[SessionRow]
    total: int


class Sessions:
    """Stored sessions: their rows in `database`, and their sound.

    Every method takes the scope of sessions that may be seen; others do not exist for it. All raise
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
        query = select(SessionRow).where(owned(SessionRow.owner, scope))
        if text:
            query = query.where(holds(SessionRow.folded, text))
        if kind is not None:
            query = query.where(SessionRow.kind == kind)
        if owner is not None:
            query = query.where(SessionRow.owner == owner)
        if since is not None:
            query = query.where(SessionRow.start >= since)
        if until is not None:
            query = query.where(SessionRow.start < until)
        newest = query.order_by(SessionRow.start.desc(), SessionRow.id)
        count = query.with_only_columns(func.count(), maintain_column_froms=True)
        async with self._database.reading() as transaction:
            total = await transaction.scalar(count)
            rows = await transaction.scalars(newest.offset(offset).limit(limit))
            return Page(rows.all(), total or 0)

    async def get(self, scope: Scope, id: str) -> SessionRow:
        """A session with its text and segments.

        Raises:
            NotFound: there is none in this scope.
        """
        query = select(SessionRow).where(SessionRow.id == id, owned(SessionRow.owner, scope))
        everything = (undefer(SessionRow.text), selectinload(SessionRow.segments))
        async with self._database.reading() as transaction:
            row = await transaction.scalar(query.options(*everything))
        if row is None:
            raise NotFound(f"no session {id} here")
        return row

    async def edit(self, scope: Scope, id: str, segment: int, text: str) -> SegmentRow:
        """Replace the text of a segment. The engine's text is kept as `original`.

        Raises:
            NotFound: there is no such session or segment in this scope.
        """
        query = select(SegmentRow).join(SessionRow).where(SegmentRow.id == segment)
        visible = (SessionRow.id == id, owned(SessionRow.owner, scope))
        async with self._database.writing() as transaction:
            row = await transaction.scalar(query.where(*visible))
            if row is None:
                raise NotFound(f"no segment {segment} in a session {id} here")
            if row.original is None:
                row.original = row.text
            row.text = text
            await transaction.flush()
            await sum_up(transaction, [id])
        return row

    async def name(self, scope: Scope, id: str, speaker: str, name: str) -> SessionRow:
        """Give the speaker of some segments a name in this session; an empty one takes it away.

        Args:
            speaker: as the segments have it.

        Raises:
            NotFound: there is no such session in this scope, or nobody of it is called so.
        """
        said = select(SegmentRow.id).where(SegmentRow.speaker == speaker, SegmentRow.session == id)
        query = select(SessionRow).where(SessionRow.id == id, owned(SessionRow.owner, scope))
        async with self._database.writing() as transaction:
            row = await transaction.scalar(query.where(said.exists()).with_for_update())
            if row is None:
                raise NotFound(f"no speaker {speaker} in a session {id} here")
            others = {label: its for label, its in row.names.items() if label != speaker}
            row.names = {**others, speaker: name} if name else others
        return await self.get(scope, id)

    async def delete(self, scope: Scope, id: str) -> None:
        """Remove a session, its segments and its sound.

        Raises:
            NotFound: as `get`.
            StillRunning: it is open.
        """
        query = select(SessionRow).where(SessionRow.id == id, owned(SessionRow.owner, scope))
        async with self._database.reading() as transaction:
            row = await transaction.scalar(query)
        if row is None:
            raise NotFound(f"no session {id} here")
        if row.state == "running":
            raise StillRunning(f"session {id} is still running")
        await self.remove([id])

    async def remove(self, ids: Sequence[str]) -> None:
        """Remove these sessions of any owner, their sound first, so that none is left behind."""
        await self.recordings.remove(ids)
        async with self._database.writing() as transaction:
            await transaction.execute(delete(SessionRow).where(SessionRow.id.in_(ids)))


async def close(transaction: AsyncSession, ended: list[dict[str, Any]]) -> None:
    """Set the columns of sessions that end, each with its id as `session`, and sum them up."""
    connection = await transaction.connection()
    rows = update(SessionRow).where(SessionRow.__table__.c.id == bindparam("session"))
    await connection.execute(rows, ended)
    await sum_up(transaction, [end["session"] for end in ended])


async def sum_up(transaction: AsyncSession, ids: Sequence[str]) -> None:
    """Compute the text, the word count and the search text of sessions from their segments."""
    texts: dict[str, list[str]] = {id: [] for id in ids}
    segments = select(SegmentRow.session, SegmentRow.text).where(SegmentRow.session.in_(ids))
    for id, text in await transaction.execute(segments.order_by(SegmentRow.id)):
        texts[id].append(text)
    for session in await transaction.scalars(select(SessionRow).where(SessionRow.id.in_(ids))):
        session.text = " ".join(filter(None, texts[session.id]))
        session.words = len(session.text.split())
        session.folded = folded(f"{session.label or ''} {session.text}")
