"""The keeper: what sessions say is committed before it is announced, come what may."""

import asyncio
import json
import math
import signal
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import event as database_event
from sqlalchemy import select
from sqlalchemy.orm import selectinload, undefer
from websockets.asyncio.client import connect

from coqui_server.config.settings import Settings
from coqui_server.config.store import StoreSettings
from coqui_server.exceptions import ServerFault, StoreError
from coqui_server.media.samples import SAMPLE_RATE
from coqui_server.principal import EVERYBODY
from coqui_server.store import opened
from coqui_server.store.database import Database
from coqui_server.store.keeper import Keeper
from coqui_server.store.sessions import Sessions
from coqui_server.store.tables import SegmentRow, SessionRow
from coqui_server.transcription.events import (
    Dtmf,
    Event,
    Final,
    SessionEnded,
    SessionStarted,
    Source,
    SpeakersCorrected,
)
from coqui_server.transcription.request import SessionRequest
from coqui_transcript.transcript import Segment, Word
from tests.support.clips import clip, spoken
from tests.support.stores import Listening, played, settings_of
from tools.daemon import running

VOICE = clip("appointment.wav")


async def all_sessions(database: Database) -> Sequence[SessionRow]:
    """All sessions with their text and segments, by their ids."""
    everything = (undefer(SessionRow.text), selectinload(SessionRow.segments))
    wanted = select(SessionRow).options(*everything).order_by(SessionRow.id)
    async with database.reading() as transaction:
        return (await transaction.scalars(wanted)).all()


async def test_a_session_is_kept(listening: Listening, database: Database) -> None:
    """What it was, whose, and what was said; each final is there when the next sink hears of it."""
    there: list[str | None] = []

    async def look(event: Event) -> None:
        if isinstance(event, Final):
            start = round(event.segment.start, 3)
            async with database.reading() as transaction:
                wanted = select(SegmentRow.text).where(SegmentRow.start == start)
                there.append(await transaction.scalar(wanted))

    about: dict[str, Any] = {"label": "desk", "call": "c1", "owner": "anna"}
    async with listening().session(
        SessionRequest("live", sinks=(look,), transport=lambda: {"packets": 7}, **about)
    ) as session:
        (row,) = await all_sessions(database)
        assert (row.state, row.duration, row.text) == ("running", 0, "")
        await session.write(VOICE.pcm)
        session.rename("front desk")
        said = await session.finish()
    (row,) = await all_sessions(database)
    assert (row.id, row.kind, row.engine, row.owner) == (session.id, "live", "moonshine", "anna")
    assert (row.call, row.label) == ("c1", "front desk")
    assert row.statistics == {"packets": 7, "dropped_utterances": 0, "dropped_words": 0}
    assert (row.state, row.error) == ("finished", None)
    assert row.duration == round(said.duration, 3)
    assert spoken(row.text) == spoken(VOICE.text)
    assert row.words == len(VOICE.text.split())
    assert [segment.text for segment in row.segments] == [final.text for final in said.segments]
    assert there == [final.text for final in said.segments]


async def test_words_are_kept(keeper: Keeper, database: Database) -> None:
    """With their times and confidences, as they are sent."""
    source = Source("a", "rtp")
    words = (Word("hi", 1.0, 1.25, 0.5), Word("سلام", 1.5, 2.0))
    await keeper(SessionStarted(source, "vosk"))
    await keeper(Dtmf(source, "5", 0.5))
    await keeper(Final(source, Segment(1.0, 2.0, "hi سلام", words, 0.75)))
    (row,) = await all_sessions(database)
    (segment,) = row.segments
    assert (segment.start, segment.end, segment.confidence) == (1.0, 2.0, 0.75)
    assert segment.words == [
        {"word": "hi", "start": 1.0, "end": 1.25, "confidence": 0.5},
        {"word": "سلام", "start": 1.5, "end": 2.0},
    ]


async def test_an_aborted_session(listening: Listening, database: Database) -> None:
    """Has failed, with the reason."""
    with pytest.raises(ServerFault):
        async with listening().session(SessionRequest("live")):
            raise ServerFault("the line broke")
    (row,) = await all_sessions(database)
    assert (row.state, row.error) == ("failed", "the line broke")


async def test_a_sink_that_fails_at_the_start(listening: Listening, database: Database) -> None:
    """Leaves no session that would run for ever."""

    async def fail(event: Event) -> None:
        if isinstance(event, SessionStarted):
            raise ServerFault("gone already")

    with pytest.raises(ServerFault):
        async with listening().session(SessionRequest("live", sinks=(fail,))):
            pass
    (row,) = await all_sessions(database)
    assert (row.state, row.error) == ("failed", "gone already")


async def test_a_session_that_is_cancelled_while_it_begins(
    listening: Listening, database: Database
) -> None:
    """Has failed, whether its beginning was written by then or not."""
    service = listening()

    async def begin() -> None:
        async with service.session(SessionRequest("live")):
            raise AssertionError("too late")

    for steps in range(1, 4):
        beginning = asyncio.create_task(begin())
        for _ in range(steps):
            await asyncio.sleep(0)
        beginning.cancel()
        await asyncio.gather(beginning, return_exceptions=True)
        assert beginning.cancelled()
    assert {row.state for row in await all_sessions(database)} == {"failed"}


@contextmanager
def commits(database: Database) -> Iterator[list[object]]:
    """Counts transactions that end well."""
    counted: list[object] = []
    database_event.listen(database._reading.sync_engine, "commit", counted.append)
    yield counted


async def test_many_sessions_share_commits(
    keeper: Keeper, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """300 sessions at once, each in order and complete, with far fewer commits than 2,100
    events."""
    # Long enough that all sessions have their next event, also on a slow machine.
    monkeypatch.setattr("coqui_server.store.keeper._GATHER", 0.2)

    async def talk(number: int) -> None:
        source = Source(f"{number:03}", "rtp", owner=f"user {number % 3}")
        await keeper(SessionStarted(source, "vosk"))
        for turn in range(5):
            await keeper(Final(source, Segment(turn, turn + 0.5, f"{number} said {turn}")))
        await keeper(SessionEnded(source, 5.0))

    with commits(database) as counted:
        await asyncio.gather(*map(talk, range(300)))
        assert len(counted) < 210
    rows = await all_sessions(database)
    assert len(rows) == 300
    for number, row in enumerate(rows):
        texts = [f"{number} said {turn}" for turn in range(5)]
        assert [segment.text for segment in row.segments] == texts
        assert (row.state, row.text, row.words) == ("finished", " ".join(texts), 15)


async def test_one_that_cannot_be_kept_fails_alone(keeper: Keeper, database: Database) -> None:
    """Others in the same transaction are kept."""
    good, unknown = Source("good", "live"), Source("unknown", "live")
    await keeper(SessionStarted(good, "vosk"))
    outcomes = await asyncio.gather(
        *(keeper(Final(source, Segment(0, 1, "hello"))) for source in (good, unknown, good)),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [type(None), StoreError, type(None)]
    (row,) = await all_sessions(database)
    assert [segment.text for segment in row.segments] == ["hello", "hello"]


async def test_statistics_that_are_no_json(database: Database, keeper: Keeper) -> None:
    """Whatever a database makes of them, it is not held against the sessions that follow."""
    odd, good = Source("odd", "rtp"), Source("good", "rtp")
    await keeper(SessionStarted(odd, "vosk"))
    await keeper(SessionEnded(odd, 1.0, "broken", {"jitter": math.nan}))
    await keeper(SessionStarted(good, "vosk"))
    await keeper(SessionEnded(good, 1.0))
    rows = {row.id: row.state for row in await all_sessions(database)}
    assert rows["good"] == "finished"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks are not waited for."""
    monkeypatch.setattr("coqui_server.store.database._LOCK_TIMEOUT", 0.05)


on_sqlite = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


@on_sqlite
@pytest.mark.usefixtures("impatient")
async def test_a_locked_database_fails_the_session_and_no_later_one(
    database: Database, listening: Listening, settings: StoreSettings
) -> None:
    """The session is told why; when the lock is gone, its end is kept and the next one works."""
    service = listening()
    with service.hub.subscribed({}) as news:
        async with service.session(SessionRequest("live")) as good:
            with pytest.raises(StoreError, match="the store failed: database is locked") as locked:
                async with service.session(SessionRequest("live")) as session:
                    with lock(settings.path / "coqui_server.db"):
                        await session.write(VOICE.pcm)
                        await session.finish()
            assert locked.value.code == "store_failed"
            await good.write(VOICE.pcm)
            await good.finish()
        service.hub.close()
        ends = [m async for m in news if m["event"] == "session_end"]
    assert [m["error"] for m in ends] == ["the store failed: database is locked", None]
    rows = {row.id: row for row in await all_sessions(database)}
    assert (rows[session.id].state, rows[good.id].state) == ("failed", "finished")
    assert spoken(rows[good.id].text) == spoken(VOICE.text)


@contextmanager
def lock(file: Path) -> Iterator[None]:
    """Another program has all of a database to itself."""
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


@on_sqlite
async def test_a_full_disk(keeper: Keeper, database: Database) -> None:
    """Is said to be that (here by SQLite's own limit), until there is room again."""
    room = 1

    def limit(connection: Any, *_: object) -> None:
        connection.cursor().execute(f"PRAGMA max_page_count = {room}")

    database_event.listen(database._reading.sync_engine.pool, "checkout", limit)
    source = Source("a", "live")
    with pytest.raises(StoreError, match="database or disk is full") as full:
        for number in range(100):
            await keeper(SessionStarted(Source(str(number), "live", label="x" * 1000), "vosk"))
    assert (full.value.code, full.value.full) == ("disk_full", True)
    room = 100_000
    await keeper(SessionStarted(source, "vosk"))
    await keeper(SessionEnded(source, 1.0))
    assert "a" in [row.id for row in await all_sessions(database)]


async def test_what_a_dead_daemon_left_open(
    database: Database, sessions: Sessions, settings: StoreSettings
) -> None:
    """Is interrupted when the next one starts, as long as what was said, and can be found."""
    source = Source("a", "live", label="desk")
    wanted = settings.recordings
    async with Keeper(database, sessions.recordings, wanted) as first:
        await first(SessionStarted(source, "vosk"))
        await first(Final(source, Segment(1.0, 2.5, "hello there")))
    async with Keeper(database, sessions.recordings, wanted):
        pass
    (row,) = await all_sessions(database)
    assert (row.state, row.text, row.words, row.duration) == ("interrupted", "hello there", 2, 2.5)
    assert (await sessions.find(EVERYBODY, text="desk hello")).total == 1


async def test_a_killed_daemon(tmp_path: Path) -> None:
    """Each final a client was told of is in the store, and the sound can be played."""
    configuration = f'store.path = "{tmp_path}"'
    with running(configuration) as daemon:
        url = f"{daemon.url}/ws/v1/speech-to-text"
        async with connect(url, compression=None) as client:
            await client.send(json.dumps({"event": "start"}))
            sound = VOICE.pcm.tobytes()
            for place in range(0, len(sound), 6400):
                await client.send(sound[place : place + 6400])
            await client.send(bytes(32000))
            told: dict[str, Any] = {}
            while not told.get("is_final"):
                told = json.loads(await client.recv())
            daemon.process.send_signal(signal.SIGKILL)
            daemon.process.wait()
    async with opened(settings_of(tmp_path)) as store:
        assert store is not None
        (row,) = await all_sessions(store.database)
        file = store.sessions.recordings.path(row.id)
    assert (row.state, row.segments[0].text) == ("interrupted", told["text"])
    assert row.recording == file.stat().st_size
    kept = played(file)
    assert len(kept) >= 3 * SAMPLE_RATE
    assert np.array_equal(kept[: len(VOICE.pcm)], VOICE.pcm[: len(kept)])


async def test_it_can_be_switched_off() -> None:
    """Then there is no store, and no folder."""
    settings = Settings.model_validate({"store": {"enabled": False, "path": "nowhere"}})
    async with opened(settings.store) as store:
        assert store is None
    assert not Path("nowhere").exists()


async def test_corrected_speakers_are_kept(keeper: Keeper, database: Database) -> None:
    """Only of the finals that are named, by their number in the session."""
    sources = [Source(session, "file") for session in ("a", "b")]
    for source in sources:
        await keeper(SessionStarted(source, "moonshine"))
    for number in range(3):
        for source in sources:
            await keeper(Final(source, Segment(number, number + 1.0, "Yes.", speaker="Speaker 1")))
    changed = {
        number: Segment(number, number + 1.0, "Yes.", speaker=name)
        for number, name in ((0, "Speaker 2"), (2, None))
    }
    await keeper(SpeakersCorrected(sources[1], changed))
    rows = await all_sessions(database)
    told = [[segment.speaker for segment in row.segments] for row in rows]
    assert told == [["Speaker 1"] * 3, ["Speaker 2", "Speaker 1", None]]
