"""What is kept: sessions and their sound, users, and the queue of files."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from coqui_server import extras
from coqui_server.config.store import StoreSettings
from coqui_server.store import database
from coqui_server.store.database import Database
from coqui_server.store.files import Files
from coqui_server.store.jobs import Jobs
from coqui_server.store.keeper import Keeper
from coqui_server.store.moving import moved
from coqui_server.store.recordings import Recordings
from coqui_server.store.replicas import Replicas
from coqui_server.store.retention import Retention
from coqui_server.store.sessions import Sessions
from coqui_server.store.tokens import Tokens
from coqui_server.store.uploads import Uploads
from coqui_server.store.users import Users


@dataclass(frozen=True)
class Store:
    """An open store: its database, and what is done with it.

    Attributes:
        replicas: the servers that share it; None for one alone.
    """

    settings: StoreSettings
    database: Database
    sessions: Sessions
    keeper: Keeper
    jobs: Jobs
    uploads: Uploads
    users: Users
    tokens: Tokens
    replicas: Replicas | None = None


@asynccontextmanager
async def opened(
    settings: StoreSettings, replica: str | None = None, lease: float = 0
) -> AsyncIterator[Store | None]:
    """The store of these settings; None if it is switched off.

    Args:
        replica: the run of this server, if several share the store.
        lease: seconds after which one that is not heard of is dead.

    Raises:
        ConfigError: it cannot be opened.
    """
    if not settings.enabled:
        yield None
        return
    async with AsyncExitStack() as parts:
        opened = await parts.enter_async_context(
            database.opened(settings, shared=replica is not None)
        )
        shared = await parts.enter_async_context(_files(settings))
        recordings = Recordings(settings.path / "recordings", shared("recordings"))
        parts.callback(recordings.close)
        await parts.enter_async_context(moved(opened, recordings))
        keeper = Keeper(opened, recordings, settings.recordings, replica)
        kept = await parts.enter_async_context(keeper)
        sessions, jobs = Sessions(opened, recordings), Jobs(opened)
        folder = settings.path / "uploads"
        uploads = Uploads(folder, shared("uploads"), shared=replica is not None)
        retention = Retention(opened, sessions, jobs, uploads, settings.retention)
        await parts.enter_async_context(retention.kept())
        users, tokens = Users(opened), Tokens(opened)
        replicas = Replicas(opened, recordings, replica, lease) if replica else None
        yield Store(settings, opened, sessions, kept, jobs, uploads, users, tokens, replicas)


@asynccontextmanager
async def _files(settings: StoreSettings) -> AsyncIterator[Callable[[str], Files | None]]:
    """The folders of files that do not stay in `store.path`; None for those that do."""
    if settings.files is None:
        yield lambda folder: None
        return
    for missing in extras.missing("s3"):
        raise missing
    # Its library takes half a second to import.
    from coqui_server.store import bucket

    async with bucket.opened(settings.files, settings.s3.endpoint) as shared:
        yield shared.within
