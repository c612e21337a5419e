"""What is kept: sessions and their sound, users, and the queue of files."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from coqui_server.config.store import StoreSettings
from coqui_server.store import database
from coqui_server.store.database import Database
from coqui_server.store.jobs import Jobs
from coqui_server.store.keeper import Keeper
from coqui_server.store.recordings import Recordings
from coqui_server.store.retention import Retention
from coqui_server.store.sessions import Sessions
from coqui_server.store.tokens import Tokens
from coqui_server.store.uploads import Uploads
from coqui_server.store.users import Users


@dataclass(frozen=True)
class Store:
    """An open store: its database, and what is done with it."""

    settings: StoreSettings
    database: Database
    sessions: Sessions
    keeper: Keeper
    jobs: Jobs
    uploads: Uploads
    users: Users
    tokens: Tokens


@asynccontextmanager
async def opened(settings: StoreSettings) -> AsyncIterator[Store | None]:
    """The store of these settings; None if it is switched off.

    Raises:
        ConfigError: it cannot be opened.
    """
    if not settings.enabled:
        yield None
        return
    async with AsyncExitStack() as parts:
        opened = await parts.enter_async_context(database.opened(settings))
        recordings = Recordings(settings.path / "recordings")
        parts.callback(recordings.close)
        keeper = Keeper(opened, recordings, settings.recordings)
        kept = await parts.enter_async_context(keeper)
        sessions, jobs = Sessions(opened, recordings), Jobs(opened)
        uploads = Uploads(settings.path / "uploads")
        retention = Retention(opened, sessions, jobs, uploads, settings.retention)
        await parts.enter_async_context(retention.kept())
        users, tokens = Users(opened), Tokens(opened)
        yield Store(settings, opened, sessions, kept, jobs, uploads, users, tokens)
