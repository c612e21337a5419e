"""What is too old or too much is deleted, by a clock that the tests set."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from coqui_server.config.store import RetentionSettings, StoreSettings
from coqui_server.principal import EVERYBODY
from coqui_server.store.claims import Claims, Token
from coqui_server.store.database import Database
from coqui_server.store.jobs import Jobs
from coqui_server.store.retention import Retention
from coqui_server.store.sessions import Sessions
from coqui_server.store.tables import JobState
from coqui_server.store.uploads import Uploads
from tests.store.test_sessions import NOON, ids, keep

DAY = timedelta(days=1)

Retained = Callable[[RetentionSettings], Retention]


@pytest.fixture
def retained(database: Database, sessions: Sessions, jobs: Jobs, uploads: Uploads) -> Retained:
    """Makes what tidies by some settings."""
    return partial(Retention, database, sessions, jobs, uploads)


async def test_by_age(database: Database, sessions: Sessions, retained: Retained) -> None:
    """What began longer ago goes with its sound, unless it runs; nothing else does."""
    await keep(database, "old", "hello", minutes=0)
    await keep(database, "running", "hello", minutes=0, state="running")
    await keep(database, "young", "hello", minutes=10)
    sessions.recordings.path("old").write_bytes(b"sound")
    retention = retained(RetentionSettings.model_validate({"age": "1 day"}))
    await retention.tidy(NOON + DAY)
    assert (await sessions.find(EVERYBODY)).total == 3
    await retention.tidy(NOON + DAY + timedelta(minutes=1))
    assert ids(await sessions.find(EVERYBODY)) == ["young", "running"]
    assert not sessions.recordings.path("old").exists()


async def test_by_size(database: Database, sessions: Sessions, retained: Retained) -> None:
    """The oldest recorded ones go until the rest is small enough; text alone stays."""
    await keep(database, "text", "hello", minutes=0)
    for minute in range(1, 6):
        await keep(database, f"s{minute}", "hello", minutes=minute, recording=100)
        sessions.recordings.path(f"s{minute}").write_bytes(bytes(100))
    await retained(RetentionSettings(size=500)).tidy(NOON)
    assert (await sessions.find(EVERYBODY)).total == 6
    await retained(RetentionSettings(size=350)).tidy(NOON)
    assert ids(await sessions.find(EVERYBODY)) == ["s5", "s4", "s3", "text"]
    left = sorted(file.name for file in sessions.recordings.path("x").parent.iterdir())
    assert left == ["s3.wav", "s4.wav", "s5.wav"]


async def test_many(
    database: Database, sessions: Sessions, retained: Retained, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than go at once."""
    monkeypatch.setattr("coqui_server.store.retention._AT_ONCE", 2)
    for number in range(5):
        await keep(database, f"s{number}", "hello", recording=100)
    await retained(RetentionSettings.model_validate({"age": "1 s", "size": 1})).tidy(NOON + DAY)
    assert (await sessions.find(EVERYBODY)).total == 0


async def test_nothing_is_deleted_by_default(
    database: Database, sessions: Sessions, retained: Retained
) -> None:
    """Nobody loses anything without having asked for it."""
    await keep(database, "old", "hello", recording=10**12)
    await retained(RetentionSettings()).tidy(NOON + 10_000 * DAY)
    assert (await sessions.find(EVERYBODY)).total == 1


async def test_jobs_that_are_over(
    jobs: Jobs, claims: Claims, settings: StoreSettings, retained: Retained
) -> None:
    """Go with their files when they ended too long ago; those that wait do not."""
    states: tuple[JobState, ...] = ("completed", "failed", "pending")
    for state in states:
        await jobs.add(10, owner=None, name="a.wav", upload=state, size=1)
        (settings.path / "uploads" / state).write_bytes(b"sound")
        job = await claims.take("worker", [])
        assert job is not None
        await claims.end(Token(job.id, job.attempt), state)
    retention = retained(RetentionSettings.model_validate({"age": "1 day"}))
    await retention.tidy(datetime.now(UTC) + DAY / 2)
    assert len(await jobs.find(EVERYBODY)) == 3
    await retention.tidy(datetime.now(UTC) + 2 * DAY)
    assert [job.state for job in await jobs.find(EVERYBODY)] == ["pending"]
    assert [file.name for file in (settings.path / "uploads").iterdir()] == ["pending"]
