"""The first sink of every session: events are committed before any other sink gets them."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from coqui_server.config.store import RecordingSettings
from coqui_server.exceptions import StoreError, TakenOver
from coqui_server.media.samples import Samples
from coqui_server.store import claims
from coqui_server.store.claims import Token
from coqui_server.store.database import Database
from coqui_server.store.interruption import interrupt
from coqui_server.store.recordings import Recording, Recordings
from coqui_server.store.sessions import close
from coqui_server.store.tables import SegmentRow, SessionRow
from coqui_server.transcription.events import (
    Event,
    Final,
    SessionEnded,
    SessionStarted,
    SpeakersCorrected,
)
from coqui_transcript.mapping import segment_to_json, warnings_to_json

_WAITING = 1000
"""Events that may wait for the writer. Each session waits for its own, so it has at most one."""

_GATHER = 0.02
"""Seconds between two commits while several sessions have events; a single one never waits. With
300 calls, committing takes an eighth of a core instead of a quarter."""

_log = logging.getLogger(__name__)

_Kept = SessionStarted | Final | SpeakersCorrected | SessionEnded


@dataclass(frozen=True)
class _Entry:
    """An event to commit, the future of the session that waits, for an end the recorded bytes, and
    for a job its token."""

    event: _Kept
    done: "asyncio.Future[None]"
    sound: int
    token: Token | None


class Keeper:
    """Commits starts, finals and ends of sessions, and records the sound of the configured kinds.
    Use as an async context manager.

    One task writes. Events that come while it is busy go into one transaction, so that 300 sessions
    do not sync the disk 300 times a second. When the store fails, the sessions that wait for it
    fail; the next event is tried again.

    Args:
        replica: which of several servers this is; None for one alone, to which every session that
            still runs at the start was left by the one before.
    """

    def __init__(
        self,
        database: Database,
        recordings: Recordings,
        kinds: RecordingSettings,
        replica: str | None = None,
    ) -> None:
        self._database = database
        self._recordings = recordings
        self._kinds = kinds
        self._replica = replica
        # Servers that share a database may have different clocks, and the database has one.
        self._begun = insert(SessionRow)
        if replica is not None:
            self._begun = self._begun.values(start=func.now(), replica=replica)
        self._recording: dict[str, Recording] = {}
        self._queue: asyncio.Queue[_Entry] = asyncio.Queue(_WAITING)
        # Ends of sessions that failed because of the store, and that it could not store either.
        self._owed: list[_Entry] = []

    async def __aenter__(self) -> Self:
        if self._replica is None:
            await interrupt(self._database, self._recordings)
        self._writer = asyncio.create_task(self._write())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._queue.join()
        self._writer.cancel()
        await asyncio.gather(self._writer, return_exceptions=True)

    def fenced(self, token: Token) -> "Fenced":
        """The same for the sessions of a job: nothing is stored once its token is stale."""
        return Fenced(self, token)

    async def __call__(self, event: Event, token: Token | None = None) -> None:
        """Return when the event is committed; at once for an event that is not stored.

        Raises:
            StoreError: it could not be stored. The end of a failed session is stored later instead.
            TakenOver: the token is stale.
        """
        if not isinstance(event, _Kept):
            return
        sound = await self._recorded(event) if isinstance(event, SessionEnded) else 0
        entry = _Entry(event, asyncio.get_running_loop().create_future(), sound, token)
        await self._queue.put(entry)
        await entry.done
        source = event.source
        if isinstance(event, SessionStarted) and getattr(self._kinds, source.kind):
            self._recording[source.session] = Recording(source.session, self._recordings)

    async def record(self, session: str, sound: Samples | int) -> None:
        """Take the next samples of a session, or so many samples of silence, if it is recorded.

        Raises:
            StoreError: earlier samples could not be written.
        """
        if recording := self._recording.get(session):
            await (recording.skip(sound) if isinstance(sound, int) else recording.write(sound))

    async def forget(self, session: str) -> None:
        """Delete the recording of a session, and record no more of it.

        Raises:
            StoreError: the disk refused.
        """
        if recording := self._recording.pop(session, None):
            await recording.abandon()
        await self._recordings.remove([session])

    async def _recorded(self, event: SessionEnded) -> int:
        """Finish the recording of a session; its size in bytes."""
        recording = self._recording.pop(event.source.session, None)
        if recording is None:
            return 0
        try:
            return await recording.close()
        except StoreError as fault:
            if event.error is None:
                raise
            _log.warning("session %s: the recording broke off: %s", event.source.session, fault)
            return await self._recordings.size(event.source.session)

    async def _write(self) -> None:
        while True:
            batch = [await self._queue.get()]
            while not self._queue.empty():
                batch.append(self._queue.get_nowait())
            owed, self._owed = self._owed, []
            await self._store(owed + batch)
            for _ in batch:
                self._queue.task_done()
            if len(batch) > 1:
                await asyncio.sleep(_GATHER)

    async def _store(self, batch: list[_Entry]) -> None:
        """Commit a batch and release the sessions that wait, each with its own error if needed."""
        try:
            await self._commit(batch)
        except StoreError as fault:
            if fault.refused and len(batch) > 1:
                for entry in batch:
                    await self._store([entry])
            else:
                self._fail(batch, fault)
        # The writer must go on after any error.
        except Exception as error:
            _log.exception("the store failed")
            self._fail(batch, StoreError(type(error).__name__))
        else:
            for entry in batch:
                _release(entry)

    def _fail(self, batch: list[_Entry], fault: StoreError) -> None:
        _log.warning("%s; %d events were not stored", fault, len(batch))
        for entry in batch:
            if _failed(entry.event) and not fault.refused:
                self._owed.append(entry)
            told = not _failed(entry.event) or isinstance(fault, TakenOver)
            _release(entry, fault if told else None)

    async def _commit(self, batch: list[_Entry]) -> None:
        events = [entry.event for entry in batch]
        started = [_session(event) for event in events if isinstance(event, SessionStarted)]
        segments = [_segment(event) for event in events if isinstance(event, Final)]
        ended = [
            _end(entry.event, entry.sound)
            for entry in batch
            if isinstance(entry.event, SessionEnded)
        ]
        tokens = {entry.token for entry in batch if entry.token}
        async with self._database.writing() as transaction:
            if tokens:
                await claims.check(transaction, tokens)
            if started:
                await transaction.execute(self._begun, started)
            for entry in batch:
                if entry.token and isinstance(entry.event, SessionStarted):
                    await claims.attach(transaction, entry.token, entry.event.source.session)
            if self._replica is not None:
                await self._check(transaction, {event.source.session for event in events})
            if segments:
                await transaction.execute(insert(SegmentRow), segments)
            for event in events:
                if isinstance(event, SpeakersCorrected):
                    await _correct(transaction, event)
            if ended:
                await close(transaction, ended)

    async def _check(self, transaction: AsyncSession, sessions: set[str]) -> None:
        """Check that no other server has closed these sessions, and that none does before the end
        of the transaction.

        Raises:
            StoreError: one of them is closed.
        """
        ours = select(SessionRow.id).where(
            SessionRow.id.in_(sessions), SessionRow.state == "running"
        )
        open = await transaction.scalars(ours.with_for_update(key_share=True))
        if sessions - set(open):
            raise StoreError(
                "the other servers had not heard of this one, and closed the session", refused=True
            )


class Fenced:
    """Keeps the session of a job, as long as its token is not stale.

    Then the recording is deleted, and the events raise `TakenOver`.
    """

    def __init__(self, keeper: Keeper, token: Token) -> None:
        self._keeper = keeper
        self._token = token

    async def __call__(self, event: Event) -> None:
        try:
            await self._keeper(event, self._token)
        except TakenOver:
            await self._keeper.forget(event.source.session)
            # Whoever ends a session that failed cannot do anything about it.
            if not _failed(event):
                raise

    async def record(self, session: str, sound: Samples | int) -> None:
        await self._keeper.record(session, sound)


def _failed(event: Event) -> bool:
    return isinstance(event, SessionEnded) and event.error is not None


def _release(entry: _Entry, fault: StoreError | None = None) -> None:
    """Let the session continue, if it still waits."""
    if entry.done.done():
        return
    if fault is None:
        entry.done.set_result(None)
    else:
        entry.done.set_exception(fault)


async def _correct(transaction: AsyncSession, event: SpeakersCorrected) -> None:
    own = select(SegmentRow.id).where(SegmentRow.session == event.source.session)
    ids = (await transaction.scalars(own.order_by(SegmentRow.id))).all()
    corrected = [
        {"id": ids[number], "speaker": segment.speaker}
        for number, segment in event.segments.items()
    ]
    await transaction.execute(update(SegmentRow), corrected)


def _session(event: SessionStarted) -> dict[str, Any]:
    source = event.source
    return {
        "id": source.session,
        "kind": source.kind,
        "engine": event.engine,
        "owner": source.owner,
        "call": source.call,
        "label": source.label,
        "start": datetime.now(UTC),
    }


def _segment(event: Final) -> dict[str, Any]:
    absent: dict[str, Any] = {"channel": None, "speaker": None, "confidence": None, "words": []}
    columns = {**absent, **segment_to_json(event.segment)}
    columns.pop("alternatives", None)
    return {"session": event.source.session, **columns}


def _end(event: SessionEnded, sound: int) -> dict[str, Any]:
    return {
        "session": event.source.session,
        "label": event.source.label,
        "duration": round(event.duration, 3),
        "state": "finished" if event.error is None else "failed",
        "error": event.error,
        "statistics": dict(event.statistics),
        "warnings": warnings_to_json(event.warnings),
        "recording": sound,
    }
