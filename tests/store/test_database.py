"""Opening the database: on each kind, new or old, and what is wrong said in a sentence."""

import asyncio
import sqlite3
from contextlib import AsyncExitStack, closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, select, text

from coqui_server.config.store import StoreSettings
from coqui_server.exceptions import ConfigError, StoreError
from coqui_server.store.database import Database, opened
from coqui_server.store.tables import JobRow, SegmentRow, SessionRow, Table, UserRow
from tests.support.stores import settings_of
from tools import postgresql

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

LATER = [
    ("segments", "channel"),
    ("segments", "speaker"),
    ("jobs", "channels"),
    ("jobs", "format"),
    ("jobs", "speakers"),
    ("jobs", "terms"),
    ("sessions", "names"),
    ("sessions", "replica"),
    ("users", "terms"),
    *(("jobs", column) for column in ("turn", "running", "attempt", "lost", "after")),
    *(("jobs", column) for column in ("worker", "lease", "stopping", "share", "left")),
]
"""The columns that came after version 0004."""


async def test_the_migrations_make_the_tables_as_they_are_declared(database: Database) -> None:
    """Nothing is left for another migration to do."""

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection)
        return list(compare_metadata(context, Table.metadata))

    async with database.reading() as transaction:
        assert await (await transaction.connection()).run_sync(differences) == []


async def test_an_older_database_keeps_what_it_has(tmp_path: Path) -> None:
    """The tables of the version before channels get their columns, and lose nothing."""
    path = tmp_path / "coqui_server.db"
    async with opened(StoreSettings(path=tmp_path)) as database, database.writing() as transaction:
        transaction.add(SessionRow(id="a", kind="file", engine="vosk", start=NOW))
        transaction.add(SegmentRow(session="a", start=0.0, end=1.0, text="Hello.", words=[]))
        transaction.add(JobRow(name="a.wav", upload="u", size=1, created=NOW))
        transaction.add(UserRow(name="anna", password="x", created=NOW))
    with closing(sqlite3.connect(path)) as older:
        older.executescript("DROP INDEX sessions_running; DROP TABLE replicas; DROP TABLE secrets")
        older.execute("DROP INDEX jobs_running")
        for table, column in LATER:
            older.execute(f"ALTER TABLE {table} DROP {column}")
        older.execute("UPDATE alembic_version SET version_num = '0004'")
        older.commit()
    async with opened(StoreSettings(path=tmp_path)) as database, database.reading() as transaction:
        segment = (await transaction.scalars(select(SegmentRow))).one()
        job = (await transaction.scalars(select(JobRow))).one()
        user = (await transaction.scalars(select(UserRow))).one()
    assert (segment.text, segment.channel, segment.speaker) == ("Hello.", None, None)
    assert (job.name, job.channels, job.format, job.speakers) == ("a.wav", None, None, None)
    assert job.terms == []
    assert (user.name, user.terms) == ("anna", [])


async def test_what_was_kept_is_there_when_it_is_opened_again(settings: StoreSettings) -> None:
    """With times in UTC, and without characters that no database takes."""
    east = NOW.astimezone(timezone(timedelta(hours=3, minutes=30)))
    async with opened(settings) as database, database.writing() as transaction:
        transaction.add(
            SessionRow(id="a", kind="live", engine="vosk", start=east, label="x\0\ud800")
        )
    async with opened(settings) as database, database.reading() as transaction:
        kept = (await transaction.scalars(select(SessionRow))).one()
    assert (kept.start, kept.start.tzinfo, kept.label) == (NOW, UTC, "x?")
    assert (kept.state, kept.words, kept.statistics, kept.excerpt) == ("running", 0, {}, "")


async def test_an_error_rolls_back(database: Database) -> None:
    """What was written before it is not there."""
    with pytest.raises(RuntimeError):
        async with database.writing() as transaction:
            transaction.add(SessionRow(id="a", kind="live", engine="vosk", start=NOW))
            await transaction.flush()
            raise RuntimeError
    async with database.reading() as transaction:
        assert (await transaction.scalars(select(SessionRow))).all() == []


async def test_sqlite_is_set_up_for_many(tmp_path: Path) -> None:
    """Readers and the writer do not wait for each other, and what is committed is on the disk."""
    async with opened(StoreSettings(path=tmp_path)) as database, database.reading() as transaction:
        values = {
            name: await transaction.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        }
    assert values == {
        "journal_mode": "wal",
        "foreign_keys": 1,
        "busy_timeout": 5000,
        "synchronous": 2,
    }


async def test_writers_wait_for_each_other(database: Database) -> None:
    """Transactions that read and then write at the same time are done one after another."""
    async with database.writing() as transaction:
        transaction.add(SessionRow(id="a", kind="live", engine="vosk", start=NOW))

    async def count() -> None:
        async with database.writing() as transaction:
            wanted = select(SessionRow).with_for_update()
            session = (await transaction.scalars(wanted)).one()
            session.words += 1

    await asyncio.gather(*(count() for _ in range(20)))
    async with database.reading() as transaction:
        assert (await transaction.scalars(select(SessionRow.words))).all() == [20]


async def test_a_locked_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is waited for, then said to be locked; once it is free, it works."""
    monkeypatch.setattr("coqui_server.store.database._LOCK_TIMEOUT", 0.05)
    async with opened(StoreSettings(path=tmp_path)) as database:
        other = sqlite3.connect(tmp_path / "coqui_server.db")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="database is locked") as locked:
            async with database.writing() as transaction:
                await transaction.execute(text("DELETE FROM jobs"))
        assert (locked.value.code, locked.value.full) == ("store_failed", False)
        other.close()
        async with database.writing() as transaction:
            transaction.add(SessionRow(id="a", kind="live", engine="vosk", start=NOW))


async def test_a_later_version(settings: StoreSettings) -> None:
    """Its database is left alone."""
    async with opened(settings) as database, database.writing() as transaction:
        await transaction.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match=r"^store: the database is from a later version.*9999"):
        async with opened(settings):
            pass


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("mysql://me:secret@host/name", "found mysql://…, allowed: postgresql://"),
        ("nonsense secret", "not an address; allowed: postgresql://"),
    ],
)
async def test_an_address_that_is_none(tmp_path: Path, url: str, problem: str) -> None:
    """Is named as far as it is no secret."""
    settings = settings_of(tmp_path, url)
    with pytest.raises(ConfigError, match=rf"^store\.url: {problem}") as wrong:
        async with opened(settings):
            pass
    assert "secret" not in str(wrong.value) + repr(settings)


async def test_no_postgresql_there(tmp_path: Path) -> None:
    """A server that does not run."""
    url = f"postgresql://coqui@/none?host={tmp_path}"
    with pytest.raises(ConfigError, match=r"^store: the database cannot be opened: "):
        async with opened(settings_of(tmp_path, url)):
            pass


async def test_no_such_database(server: postgresql.Server, tmp_path: Path) -> None:
    """A server that runs and does not know it."""
    url = server.create().replace("test_", "missing_")
    with pytest.raises(ConfigError, match=r'database "missing_.*" does not exist'):
        async with opened(settings_of(tmp_path, url)):
            pass


@pytest.mark.parametrize("free", [0, 1, 2])
async def test_a_postgresql_without_free_connections(
    server: postgresql.Server, tmp_path: Path, free: int
) -> None:
    """Is said to be one, at the start and later. What fails then works as soon as one is free."""
    url = limited(server, connections=free)
    if free < 2:
        with pytest.raises(ConfigError, match=r"^store: .* too many connections for database"):
            async with opened(settings_of(tmp_path, url)):
                pass
        return
    async with opened(settings_of(tmp_path, url)) as database, AsyncExitStack() as busy:
        await busy.enter_async_context(database.reading())
        session = SessionRow(id="a", kind="live", engine="vosk", start=NOW)
        held = await busy.enter_async_context(database.reading())
        await held.execute(text("SELECT 1"))
        with pytest.raises(StoreError, match="too many connections for database") as refused:
            async with database.writing() as transaction:
                transaction.add(session)
        assert (refused.value.code, refused.value.refused) == ("store_failed", False)
        await busy.aclose()
        async with database.writing() as transaction:
            transaction.add(session)


def limited(server: postgresql.Server, connections: int) -> str:
    """The address of an empty database with so many connections, for a user without privileges."""
    url = server.create()
    name = url.partition("@/")[2].partition("?")[0]
    for command in (
        f"CREATE ROLE {name} LOGIN",
        f"ALTER DATABASE {name} OWNER TO {name}",
        f"ALTER DATABASE {name} CONNECTION LIMIT {connections}",
    ):
        server.run("psql", "-h", url.rpartition("=")[2], "-U", "coqui", "-c", command, "postgres")
    return url.replace("coqui@", f"{name}@")


async def test_a_driver_that_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error has the command that installs it."""
    monkeypatch.setattr("coqui_server.extras.find_spec", lambda _: None)
    url = "postgresql://coqui@/name"
    with pytest.raises(ConfigError, match="asyncpg is not installed; run: pip install asyncpg=="):
        async with opened(settings_of(tmp_path, url)):
            pass


async def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """The key and the reason are named."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"^store\.path: found .*Not a directory"):
        async with opened(StoreSettings(path=tmp_path / "file" / "data")):
            pass
