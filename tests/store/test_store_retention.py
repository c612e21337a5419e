"""What is too old or too much is deleted, by a clock that the tests set."""

from datetime import timedelta

import pytest

from coqui_server.store.database import Database
from coqui_server.store.ownership import EVERYBODY
from coqui_server.store.retention import tidy
from coqui_server.store.sessions import Sessions
from coqui_server.store_settings import RetentionSettings
from tests.store.test_store_sessions import NOON, ids, keep

DAY = timedelta(days=1)


async def test_by_age(database: Database, sessions: Sessions) -> None:
    """What began longer ago goes with its sound, unless it runs; nothing else does."""
    await keep(database, "old", "hello", minutes=0)
    await keep(database, "running", "hello", minutes=0, state="running")
    await keep(database, "young", "hello", minutes=10)
    sessions.recordings.path("old").write_bytes(b"sound")
    wanted = RetentionSettings.model_validate({"age": "1 day"})
    await tidy(database, sessions, wanted, NOON + DAY)
    assert (await sessions.find(EVERYBODY)).total == 3
    await tidy(database, sessions, wanted, NOON + DAY + timedelta(minutes=1))
    assert ids(await sessions.find(EVERYBODY)) == ["young", "running"]
    assert not sessions.recordings.path("old").exists()


async def test_by_size(database: Database, sessions: Sessions) -> None:
    """The oldest recorded ones go until the rest is small enough; text alone stays."""
    await keep(database, "text", "hello", minutes=0)
    for minute in range(1, 6):
        await keep(database, f"s{minute}", "hello", minutes=minute, recording=100)
        sessions.recordings.path(f"s{minute}").write_bytes(bytes(100))
    await tidy(database, sessions, RetentionSettings(size=500), NOON)
    assert (await sessions.find(EVERYBODY)).total == 6
    await tidy(database, sessions, RetentionSettings(size=350), NOON)
    assert ids(await sessions.find(EVERYBODY)) == ["s5", "s4", "s3", "text"]
    left = sorted(file.name for file in sessions.recordings.path("x").parent.iterdir())
    assert left == ["s3.wav", "s4.wav", "s5.wav"]


async def test_many(
    database: Database, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than go at once."""
    monkeypatch.setattr("coqui_server.store.retention._AT_ONCE", 2)
    for number in range(5):
        await keep(database, f"s{number}", "hello", recording=100)
    await tidy(database, sessions, RetentionSettings(age=1.0, size=1), NOON + DAY)
    assert (await sessions.find(EVERYBODY)).total == 0


async def test_nothing_is_deleted_by_default(database: Database, sessions: Sessions) -> None:
    """Nobody loses anything without having asked for it."""
    await keep(database, "old", "hello", recording=10**12)
    await tidy(database, sessions, RetentionSettings(), NOON + 10_000 * DAY)
    assert (await sessions.find(EVERYBODY)).total == 1
