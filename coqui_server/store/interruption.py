"""Ends the sessions that a server left open when it died."""

import logging
from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select, true, update

from coqui_server.store.database import Database
from coqui_server.store.recordings import Recordings
from coqui_server.store.sessions import close
from coqui_server.store.tables import SegmentRow, SessionRow
from coqui_server.transcription.events import SessionEnded, Source

REASON = "the daemon stopped"
"""The error of such a session."""

_log = logging.getLogger(__name__)


async def interrupt(
    database: Database, recordings: Recordings, abandoned: ColumnElement[bool] | None = None
) -> Sequence[SessionRow]:
    """End abandoned sessions with their segments so far; those that this call has ended.

    Args:
        abandoned: which of those that run; None for all.

    Raises:
        StoreError: the database or the disk failed.
    """
    running = (SessionRow.state == "running", true() if abandoned is None else abandoned)
    async with database.reading() as transaction:
        open = (await transaction.scalars(select(SessionRow.id).where(*running))).all()
    if not open:
        return ()
    sizes = {id: await recordings.complete(id) for id in open}
    last = select(func.max(SegmentRow.end)).where(SegmentRow.session == SessionRow.id)
    ended = update(SessionRow).where(SessionRow.id.in_(open), *running).returning(SessionRow.id)
    columns = {
        "state": "interrupted",
        "error": REASON,
        "duration": func.coalesce(last.scalar_subquery(), 0.0),
    }
    async with database.writing() as transaction:
        # Of two servers that do this at a time, the second finds them ended.
        found = (await transaction.scalars(ended.values(columns))).all()
        if found:
            await close(transaction, [{"session": id, "recording": sizes[id]} for id in found])
        rows = select(SessionRow).where(SessionRow.id.in_(found))
        interrupted = (await transaction.scalars(rows)).all()
    _log.warning("%d sessions were interrupted when the daemon stopped", len(interrupted))
    return interrupted


def end_of(row: SessionRow) -> SessionEnded:
    """What subscribers are told of such a session."""
    source = Source(row.id, row.kind, row.call, row.label, row.owner)
    return SessionEnded(source, row.duration, row.error or REASON)
