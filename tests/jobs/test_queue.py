"""The queue: one file at a time for each user, in order, to an end that is written down."""

import asyncio
import sqlite3
import sys
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

from coqui_server.config.store import StoreSettings
from coqui_server.engines.base import Engine
from coqui_server.exceptions import (
    BadRequest,
    Busy,
    NotAudio,
    NotFound,
    StillRunning,
    StoreError,
    TooLarge,
)
from coqui_server.media import wav
from coqui_server.media.transcode import Transcoder
from coqui_server.principal import EVERYBODY
from coqui_server.store import clock
from coqui_server.store.files import Folder
from coqui_server.store.tables import JobRow
from coqui_server.store.uploads import Upload
from tests.support.clips import ROOT, spoken
from tests.support.daemon import children, made
from tests.support.live import Obstacle, until
from tests.support.queue import VOICE, Open

on_sqlite = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


async def test_a_file_becomes_a_session(desk: Open, moonshine: Engine) -> None:
    """Its owner's, with the file's name; who looks on sees it wait, run, come forward and end."""
    async with desk(moonshine) as at:
        with at.queue.subscribed("anna") as news, at.queue.subscribed("ben") as others:
            twice = np.concatenate((VOICE.pcm, np.zeros(16_000, np.int16), VOICE.pcm))
            id = await at.put("anna", "Réunion <1>.wav", data=wav.encode(twice))
            job = await at.until(id, "completed")
            await at.queue.close()
            told = [message async for message in news]
            assert [message async for message in others] == []
        session = await at.store.sessions.get("anna", job["session"])
        assert at.uploads() == []
    assert (session.kind, session.owner, session.label) == ("file", "anna", "Réunion <1>.wav")
    assert (session.state, spoken(session.text)) == ("finished", spoken(f"{VOICE.text} " * 2))
    assert (job["percent"], job["left"], job["error"]) == (100, None, None)
    states = list(dict.fromkeys(message["state"] for message in told))
    assert states == ["pending", "processing", "completed"]
    percents = [message["percent"] for message in told]
    assert percents == sorted(percents)
    assert {0, 100} < set(percents)


async def test_one_at_a_time_for_each_user(desk: Open, held: Obstacle) -> None:
    """In the order they came; nobody waits for another user, and nobody signed in is one user."""
    owners = ["anna", "anna", "ben", None, None, "anna"]
    async with desk(held) as at:
        ids = [await at.put(owner) for owner in owners]
        for first in (0, 2, 3):
            await at.until(ids[first], "processing")
        running = ["processing", "pending", "processing", "processing", "pending", "pending"]
        assert await at.states() == running
        held.let_go()
        for id in ids:
            await at.until(id, "completed")
        rows = [await at.store.jobs.get(EVERYBODY, id) for id in ids]
    for owner in ("anna", None):
        mine = [row for row in rows if row.owner == owner]
        for before, after in pairwise(mine):
            assert before.ended is not None
            assert after.started is not None
            assert before.ended <= after.started


async def test_cancelling(desk: Open, held: Obstacle) -> None:
    """One that runs is stopped with its ffmpeg and its session, one that waits never runs, and the
    next one starts by itself."""
    async with desk(held) as at:
        running, waiting, next = [await at.put("anna") for _ in range(3)]
        await at.until(running, "processing")
        while (await at.queue.get("anna", running))["session"] is None:
            await asyncio.sleep(0.01)
        assert (await at.queue.cancel("anna", waiting))["state"] == "cancelled"
        stopped = await at.queue.cancel("anna", running)
        assert (stopped["state"], stopped["error"]) == ("cancelled", None)
        assert (await at.store.sessions.get("anna", stopped["session"])).state == "failed"
        held.let_go()
        assert (await at.until(next, "completed"))["percent"] == 100
        assert children() == []
        assert await at.states() == ["cancelled", "cancelled", "completed"]
        assert (await at.queue.cancel("anna", next))["state"] == "completed"


async def test_a_failure_keeps_its_reason_and_can_be_tried_again(desk: Open) -> None:
    """What it left behind is replaced; the next file is not held up."""
    engine = Obstacle(fails=True)
    async with desk(engine) as at:
        id, noise = await at.put("anna"), await at.put("anna", data=b"no sound" * 1000)
        failed = await at.until(id, "failed")
        assert failed["error"] == "the recogniser obstacle failed"
        other = await at.until(noise, "failed")
        assert other["error"] == "not an audio or video file that ffmpeg can read"
        engine.fails = False
        assert (await at.queue.retry("anna", id))["state"] == "pending"
        again = await at.until(id, "completed")
        page = await at.store.sessions.find("anna", text="word")
        assert [row.id for row in page.sessions] == [again["session"]]
        with pytest.raises(NotFound):
            await at.store.sessions.get("anna", failed["session"])
        assert len(at.uploads()) == 1


async def test_the_engine_is_chosen_for_each_file(desk: Open, moonshine: Engine) -> None:
    """Among those that are enabled; one that is not is refused with what there is."""
    async with desk(Obstacle(), moonshine) as at:
        id = await at.put(None, engine="moonshine", language="en-GB")
        done = await at.until(id, "completed")
        assert (done["engine"], done["language"]) == ("moonshine", "en-GB")
        session = await at.store.sessions.get(None, done["session"])
        assert (session.engine, spoken(session.text)) == ("moonshine", spoken(VOICE.text))
        for wish in ({"engine": "parrot"}, {"engine": "moonshine", "language": "fa"}):
            with pytest.raises(BadRequest):
                await at.put(None, **wish)
        assert at.uploads() == []
        assert len(await at.queue.find(EVERYBODY)) == 1


async def test_jobs_of_others(desk: Open, held: Obstacle) -> None:
    """Are as if they were not there."""
    async with desk(held) as at:
        id = await at.put("anna")
        assert await at.queue.find("ben") == []
        for whose in ("ben", None):
            for ask in (at.queue.get, at.queue.cancel, at.queue.retry, at.queue.delete):
                with pytest.raises(NotFound):
                    await ask(whose, id)
        assert (await at.until(id, "processing"))["owner"] == "anna"


async def test_forgetting_a_job(desk: Open, held: Obstacle) -> None:
    """Only when it is over; its transcript stays, its file does not."""
    async with desk(held) as at:
        done, cancelled = await at.put("anna"), await at.put("anna")
        for id in (done, cancelled):
            with pytest.raises(StillRunning):
                await at.queue.delete("anna", id)
        with pytest.raises(StillRunning):
            await at.queue.retry("anna", done)
        await at.queue.cancel("anna", cancelled)
        held.let_go()
        session = (await at.until(done, "completed"))["session"]
        assert len(at.uploads()) == 1
        for id in (done, cancelled):
            await at.queue.delete("anna", id)
        assert at.uploads() == []
        assert await at.queue.find("anna") == []
        assert (await at.store.sessions.get("anna", session)).state == "finished"


@on_sqlite
async def test_uploads_that_are_refused(desk: Open, held: Obstacle) -> None:
    """Nothing, too much, or one too many: nothing of it is left."""
    async with desk(held, jobs={"max_size": 100_000, "max_waiting": 2}) as at:
        with pytest.raises(NotAudio) as empty:
            await at.put("anna", data=b"")
        assert empty.value.code == "empty"
        with pytest.raises(TooLarge, match="larger than 100000 bytes"):
            await at.put("anna", data=bytes(100_001))
        assert at.uploads() == []
        for _ in range(2):
            await at.put("anna", data=VOICE.path.read_bytes()[:90_000])
        with pytest.raises(Busy, match="2 files wait already"):
            await at.put("anna", data=b"one more")
        await at.put("ben", data=b"another's")
        assert len(at.uploads()) == 3


async def test_a_full_disk_for_uploads(tmp_path: Path) -> None:
    """Is an error of the store's that says so."""
    file = await asyncio.to_thread(Path("/dev/full").open, "wb", 0)
    with file, pytest.raises(StoreError, match="No space left on device") as full:
        await Upload(Path("unused"), file, None, Folder(tmp_path)).write(b"sound")
    assert full.value.code == "disk_full"


@on_sqlite
async def test_half_an_upload_of_a_daemon_that_died(desk: Open, settings: StoreSettings) -> None:
    """Is removed by the next one."""
    folder = settings.path / "uploads"
    folder.mkdir(parents=True)
    (folder / "half.part").write_bytes(b"sound")
    async with desk(Obstacle()) as at:
        assert at.uploads() == []


async def test_a_daemon_that_stops(desk: Open, held: Obstacle) -> None:
    """Leaves what it was working on to the next one, which makes one transcript of it."""
    async with desk(held) as at:
        id = await at.put("anna")
        while (await at.queue.get("anna", id))["session"] is None:
            await asyncio.sleep(0.01)
    held.let_go()
    async with desk(Obstacle()) as at:
        job = await at.until(id, "completed")
        page = await at.store.sessions.find(EVERYBODY)
        assert [(row.id, row.state) for row in page.sessions] == [(job["session"], "finished")]


@on_sqlite
async def test_a_daemon_that_was_killed(
    desk: Open, moonshine: Engine, settings: StoreSettings
) -> None:
    """The next one finishes its job, once."""
    program = [sys.executable, "-m", "tests.jobs.killed", str(settings.path), str(VOICE.path)]
    process = await asyncio.create_subprocess_exec(
        *program, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"processing\n"
    process.kill()
    await process.communicate()
    with closing(sqlite3.connect(settings.path / "coqui_server.db")) as left:
        assert left.execute("SELECT state FROM jobs").fetchall() == [("processing",)]
        assert left.execute("SELECT state FROM sessions").fetchall() == [("running",)]
    async with desk(moonshine) as at:
        job = await at.until(1, "completed")
        (session,) = (await at.store.sessions.find("anna")).sessions
        assert (session.id, session.state) == (job["session"], "finished")
        assert spoken(session.excerpt) == spoken(VOICE.text)
        assert at.uploads() == []


async def test_a_transcript_that_was_whole_when_the_daemon_died(desk: Open, held: Obstacle) -> None:
    """Is not made again."""
    async with desk(Obstacle()) as at:
        first = await at.until(await at.put("anna"), "completed")
        async with at.store.database.writing() as transaction:
            await transaction.execute(update(JobRow).values(state="processing", lease=clock.now()))
    async with desk(held) as at:
        again = await at.until(first["id"], "completed")
    assert again["session"] == first["session"]


@on_sqlite
async def test_no_room(desk: Open, held: Obstacle, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job waits until there is."""
    monkeypatch.setattr("coqui_server.jobs.worker.PAUSE", 0.01)
    async with desk(held, server={"max_sessions": 1}) as at:
        ids = [await at.put("anna"), await at.put("ben")]
        await at.until(ids[1], "processing")
        held.let_go()
        for id in ids:
            assert (await at.until(id, "completed"))["error"] is None


@on_sqlite
@pytest.mark.parametrize("attempts", [1, 2])
async def test_a_store_that_fails_meanwhile(
    desk: Open,
    held: Obstacle,
    settings: StoreSettings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    attempts: int,
) -> None:
    """The job is tried again when the store is back, if it may be; another one is not held up."""
    monkeypatch.setattr("coqui_server.store.database._LOCK_TIMEOUT", 0.05)
    monkeypatch.setattr("coqui_server.jobs.worker.PAUSE", 0.01)
    async with desk(held, jobs={"attempts": attempts}, cluster={"lease": "1 s"}) as at:
        ids = [await at.put("anna"), await at.put("anna")]
        while (await at.queue.get("anna", ids[0]))["session"] is None:
            await asyncio.sleep(0.01)
        file = settings.path / "coqui_server.db"
        with closing(sqlite3.connect(file, check_same_thread=False)) as other:
            await asyncio.to_thread(other.execute, "BEGIN EXCLUSIVE")
            held.let_go()
            await until(lambda: "its end is not stored yet" in caplog.text)
        ended = await at.until(ids[0], "failed", "completed")
        lost = "the store failed: database is locked (attempt 1 of 1)"
        assert ended["error"] == (lost if attempts == 1 else None)
        await at.until(ids[1], "completed")


@pytest.mark.parametrize("suffix", [".wav", ".m4a", ".webm", ".flac"])
async def test_how_long_a_file_is(tmp_path: Path, suffix: str) -> None:
    """Is known from its head, to within a frame."""
    made(source=VOICE.path, suffix=suffix, folder=tmp_path)
    duration = await Transcoder().duration(tmp_path / f"made{suffix}")
    assert duration == pytest.approx(len(VOICE.pcm) / 16_000, abs=0.15)


async def test_a_file_that_does_not_say_how_long_it_is(tmp_path: Path) -> None:
    """Has no length."""
    path = tmp_path / "noise"
    path.write_bytes(b"no sound" * 1000)
    assert await Transcoder().duration(path) is None
