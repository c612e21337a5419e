"""What protocols are given: sessions, if there is room, and a way to read files."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from coqui_server.audio.transcode import Transcoder
from coqui_server.engines.base import DEFAULT_OPTIONS, Engine, Options
from coqui_server.exceptions import Busy
from coqui_server.settings import Kind, Settings
from coqui_server.transcription.events import Sink
from coqui_server.transcription.hub import Hub
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.session import Session


class Service:
    """Opens sessions on one engine, up to `server.max_sessions` at a time."""

    def __init__(
        self, settings: Settings, engine: Engine, scheduler: Scheduler, transcoder: Transcoder
    ) -> None:
        self.settings = settings
        self.engine = engine
        self.transcoder = transcoder
        self.hub = Hub()
        self._scheduler = scheduler
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
        self.check_room()
        session = Session(
            *(kind, self.engine, self._scheduler, self.settings),
            options=options,
            interim=interim,
            sinks=(*sinks, self.hub),
            call=call,
            label=label,
        )
        self._sessions.add(session)
        self._empty.clear()
        try:
            async with session:
                yield session
        finally:
            self._sessions.discard(session)
            if not self._sessions:
                self._empty.set()

    def check_room(self) -> None:
        """Say whether another session could be opened now.

        Raises:
            Busy: as `session` would.
        """
        if self._draining:
            raise Busy("the server is shutting down")
        if len(self._sessions) >= self.settings.server.max_sessions:
            raise Busy(f"all {len(self._sessions)} sessions are taken; try again later")

    def drain(self) -> None:
        """Open no more sessions; those that are open go on."""
        self._draining = True

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
            },
        }
