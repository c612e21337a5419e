"""What protocols are given: sessions, if there is room, and a way to read files."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from coqui_server.audio.transcode import Transcoder
from coqui_server.engines.base import (
    DEFAULT_OPTIONS,
    AnyEngine,
    Options,
    RemoteEngine,
    StreamingService,
)
from coqui_server.exceptions import Busy
from coqui_server.settings import Kind, Settings
from coqui_server.transcription.events import Sink
from coqui_server.transcription.hub import Hub
from coqui_server.transcription.load import Load
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.session import Session
from coqui_server.transcription.streamed import StreamedSession


class Service:
    """Opens sessions on one engine, up to `server.max_sessions` at a time."""

    def __init__(
        self, settings: Settings, engine: AnyEngine, scheduler: Scheduler, transcoder: Transcoder
    ) -> None:
        self.settings = settings
        self.engine = engine
        self.transcoder = transcoder
        self.hub = Hub()
        self._scheduler = scheduler
        self._load = Load(scheduler.threads)
        self._sessions: set[Session] = set()
        self._empty = asyncio.Event()
        self._empty.set()
        self._draining = False

    @asynccontextmanager
    async def session(
        self,
        kind: Kind,
        *,
        options: Options = DEFAULT_OPTIONS,
        interim: float | None = None,
        sinks: Sequence[Sink] = (),
        call: str | None = None,
        label: str | None = None,
    ) -> AsyncIterator[Session]:
        """A running session, aborted if the block is left before `finish`. The hub hears it last.

        Raises:
            Busy: `server.max_sessions` are open, or the daemon is shutting down.
        """
        self.check_room(kind)
        wishes: dict[str, Any] = {
            **{"options": options, "interim": interim, "sinks": (*sinks, self.hub)},
            **{"call": call, "label": label},
        }
        means = (self._scheduler, self.settings)
        if kind != "file" and isinstance(self.engine, StreamingService):
            session: Session = StreamedSession(kind, self.engine, *means, **wishes)
        else:
            session = Session(kind, self.engine, *means, **wishes)
        self._enter(session)
        try:
            async with session:
                yield session
        finally:
            self._leave(session)

    def check_room(self, kind: Kind) -> None:
        """Say whether another session could be opened now.

        Files wait for each other; live sound cannot wait, so it must be decoded in time.

        Raises:
            Busy: as `session` would.
        """
        if self._draining:
            raise Busy("the server is shutting down")
        if len(self._sessions) >= self.settings.server.max_sessions:
            raise Busy(f"all {len(self._sessions)} sessions are taken; try again later")
        if kind != "file" and self.overloaded:
            needed, threads = self._load.demand(self._live()), self._scheduler.threads
            raise Busy(
                f"{len(self._live())} live sessions keep {needed:.1f} of {threads} decoder threads "
                "busy, and one more could not be heard in time; try again later"
            )

    @property
    def overloaded(self) -> bool:
        """Whether another live session could not be decoded in time. Services have their own
        limits."""
        if isinstance(self.engine, RemoteEngine):
            return False
        return self._scheduler.overdue or not self._load.admits(self._live())

    def _live(self) -> list[Session]:
        return [session for session in self._sessions if _loads_threads(session)]

    def drain(self) -> None:
        """Open no more sessions; those that are open go on."""
        self._draining = True

    def _enter(self, session: Session) -> None:
        self._sessions.add(session)
        self._empty.clear()
        self._scheduler.reserved = 1 if self._live() else 0

    def _leave(self, session: Session) -> None:
        self._sessions.discard(session)
        self._scheduler.reserved = 1 if self._live() else 0
        if _loads_threads(session):
            self._load.learn(session)
        if not self._sessions:
            self._empty.set()

    async def drained(self) -> None:
        """Wait until no session is open."""
        await self._empty.wait()

    def health(self) -> dict[str, Any]:
        """The state for `/health`."""
        kinds = Counter(session.kind for session in self._sessions)
        return {
            "status": "draining" if self._draining else "ok",
            "engine": self.engine.name,
            "model": self.engine.model,
            "sessions": {kind: kinds[kind] for kind in ("file", "live", "rtp")},
            "max_sessions": self.settings.server.max_sessions,
            "decoders": {
                "threads": self._scheduler.threads,
                "running": self._scheduler.running,
                "waiting": self._scheduler.waiting,
                "needed": round(self._load.demand(self._live()), 2),
                "overloaded": self.overloaded,
            },
        }


def _loads_threads(session: Session) -> bool:
    """Whether a session needs decoder threads in time. Files can wait, services have their own."""
    return session.kind != "file" and not isinstance(session.engine, RemoteEngine)
