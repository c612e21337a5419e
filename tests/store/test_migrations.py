"""A migration only adds, so that servers of the version before go on while it is done."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect, text

from coqui_server.config.store import StoreSettings
from coqui_server.store import database as module
from coqui_server.store.database import Database
from coqui_server.store.keeper import Keeper
from coqui_server.store.sessions import Sessions
from coqui_server.transcription.events import Final, SessionEnded, SessionStarted, Source
from coqui_transcript.transcript import Segment

Schema = dict[str, dict[str, tuple[str, bool, Any]]]
"""Of each table its columns: type, whether they may be empty, default."""


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    """To an empty database."""
    engine = create_engine(f"sqlite:///{tmp_path}/a.db")
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def schema(connection: Connection) -> Schema:
    """The tables as they are now."""
    seen = inspect(connection)
    return {
        table: {
            column["name"]: (str(column["type"]), column["nullable"], column["default"])
            for column in seen.get_columns(table)
        }
        for table in seen.get_table_names()
    }


def unique(connection: Connection) -> set[tuple[str, str]]:
    """Columns, with their table, that may not have the same value twice."""
    seen = inspect(connection)
    return {
        (table, str(column))
        for table in seen.get_table_names()
        for index in seen.get_indexes(table)
        if index["unique"]
        for column in index["column_names"]
    }


def test_a_migration_only_adds(connection: Connection) -> None:
    """Tables, and columns that may be empty or have a default. What was there stays as it was, and
    takes the same values as before."""
    configuration = Config()
    configuration.set_main_option("script_location", str(module._MIGRATIONS))
    configuration.attributes["connection"] = connection
    revisions = list(ScriptDirectory.from_config(configuration).walk_revisions())
    assert len(revisions) >= 8
    before: Schema = {}
    restricted: set[tuple[str, str]] = set()
    for revision in reversed(revisions):
        command.upgrade(configuration, revision.revision)
        after = schema(connection)
        for table, columns in before.items():
            assert after[table].items() >= columns.items(), revision
            for name in after[table].keys() - columns.keys():
                _, empty, default = after[table][name]
                assert empty or default is not None, f"{revision}: {table}.{name}"
        known = {(table, name) for table, columns in before.items() for name in columns}
        assert not (unique(connection) - restricted) & known, revision
        before, restricted = after, unique(connection)


async def test_a_server_goes_on_while_a_later_one_migrates(
    settings: StoreSettings, database: Database, keeper: Keeper, sessions: Sessions
) -> None:
    """In the middle of a session; with its statements that the database has prepared before."""
    source = Source("s", "live")
    await keeper(SessionStarted(source, "none"))
    await keeper(Final(source, Segment(0.0, 1.0, "before")))
    async with database.writing() as later:
        for statement in (
            "ALTER TABLE sessions ADD COLUMN later TEXT NOT NULL DEFAULT 'x'",
            "ALTER TABLE segments ADD COLUMN later DOUBLE PRECISION",
            "CREATE TABLE later (id INTEGER PRIMARY KEY)",
            "CREATE INDEX segments_later ON segments (later)",
        ):
            await later.execute(text(statement))
    await keeper(Final(source, Segment(1.0, 2.0, "after")))
    await keeper(SessionEnded(source, 2.0))
    async with database.reading() as transaction:
        told = (await transaction.execute(text("SELECT text, state, later FROM sessions"))).one()
    assert tuple(told) == ("before after", "finished", "x")
