"""Opens sessions if there is room, and reads files, for every protocol."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from typing import Any, TypeVar

from coqui_server import __version__
from coqui_server.cluster import Cluster
from coqui_server.config.settings import Settings
from coqui_server.engines import Engines
from coqui_server.engines.base import AnyEngine, RemoteEngine
from coqui_server.exceptions import BadRequest, Busy, ConfigError, GoingAway, Idle
from coqui_server.media.transcode import Transcoder
from coqui_server.speakers import model
from coqui_server.transcription import rehearsal
from coqui_server.transcription.hub import Hub
from coqui_server.transcription.keeping import Keeper
from coqui_server.transcription.load import FULL, Load
from coqui_server.transcription.loop import LoopMeter
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.session import Session
from coqui_server.transcription.statistics import KINDS, Statistics
from coqui_server.transcription.wording import configured_terms
from coqui_server.word_times.aligner import Aligner

Result = TypeVar("Result")

TermsOf = Callable[[str], Awaitable[Sequence[str]]]
"""Gives the names and terms of a user."""

_PROCESSORS = (
    len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
)

_FULL_PROCESSORS = 0.85
"""The share of all processors that may be promised to decoder threads and event loop together."""


class Service:
    """Opens sessions on the enabled engines, up to `server.max_sessions` at a time.

    Args:
        keeper: keeps every session; None for a daemon that keeps nothing.
        terms_of: gives the names and terms of a user.
        aligner: times the words of engines that do not; None leaves them without words.
        cluster: this server among others; None for one alone.

    Raises:
        ConfigError: `ffmpeg.path` names no file, or `text.terms_file` cannot be used.

    Attributes:
        sessions: those that are open.
    """

    def __init__(
        self,
        settings: Settings,
        engines: Engines,
        scheduler: Scheduler,
        keeper: Keeper | None = None,
        terms_of: TermsOf | None = None,
        aligner: Aligner | None = None,
        cluster: Cluster | None = None,
    ) -> None:
        self.settings = settings
        self.cluster = cluster
        self._terms, self._terms_of = configured_terms(settings), terms_of
        self.engines = engines
        self.transcoder = Transcoder(settings.ffmpeg.path, settings.ffmpeg.timeout)
        self.hub = Hub()
        self.statistics = Statistics()
        self.sessions: set[Session] = set()
        self._keeper = keeper
        self._aligner = aligner
        self._scheduler = scheduler
        self._load = Load(scheduler.threads)
        # Sessions whose sound must be decoded in time on our threads.
        self._live: set[Session] = set()
        self._loop = LoopMeter(self._live)
        self._empty = asyncio.Event()
        self._empty.set()
        self._draining = False
        self._dismissed = False
        self._waiting: set[asyncio.Timeout] = set()

    @asynccontextmanager
    async def session(self, request: SessionRequest) -> AsyncIterator[Session]:
        """A running session, aborted if the block is left before `finish`.

        Its events go to the keeper first, then to the request's sinks, then to the hub.

        Raises:
            Busy: `server.max_sessions` are open, or the daemon is shutting down.
            BadRequest: speakers are to be told apart, and the models for that are not here.
            StoreError: the session could not be kept.
        """
        # No other session may come between the check and the entry.
        voices = await self._voices(request)
        terms = await self._all_terms(request)
        try:
            self.check_room(request)
        except Busy:
            self.statistics.refused[request.kind] += 1
            raise
        complete = replace(
            request,
            engine=self._engine(request),
            options=replace(request.options, terms=terms),
            speakers=request.speakers or self.settings.speakers,
            voices=voices,
            format=request.format or self.settings.text.format,
            sinks=(*request.sinks, self.hub),
        )
        keeper = request.keeper or self._keeper
        session = Session(complete, self._scheduler, self.settings, keeper, self._aligner)
        self._enter(session)
        try:
            async with session:
                yield session
        finally:
            self._leave(session)

    def check_room(self, request: SessionRequest) -> None:
        """Check whether this session could be opened now.

        Files wait for each other; live sound cannot wait, so it must be decoded in time.

        Raises:
            Busy: as `session` would.
        """
        if self._draining:
            raise Busy("the server is shutting down")
        if len(self.sessions) >= self.settings.server.max_sessions:
            raise Busy(f"all {len(self.sessions)} sessions are taken; try again later")
        if self._loads_threads(request) and (burden := self._burden()):
            raise Busy(
                f"{len(self._live)} live sessions {burden}, and one more could not be "
                "decoded in time; try again later"
            )

    @property
    def overloaded(self) -> bool:
        """Whether another live session could not be decoded in time on our threads."""
        return bool(self._burden())

    def _burden(self) -> str:
        """What the live sessions do that leaves no room for one more; "" if there is room.

        The decoder threads, the event loop, and the processors that both share, may each be full.
        """
        needed, threads = self._load.demand(self._live), self._scheduler.threads
        if self._scheduler.overdue:
            return "wait for the decoder threads"
        if not self._load.admits(self._live):
            return f"keep {needed:.1f} of {threads} decoder threads busy"
        if not self._live:
            return ""
        if self._loop.overdue:
            return f"make everything {self._loop.lateness:.1f} s late"
        if self._loop.demand + self._loop.cost > FULL:
            return f"keep {self._loop.demand:.0%} of the event loop busy"
        typical = (needed + self._loop.demand) / len(self._live)
        if needed + self._loop.demand + typical > _FULL_PROCESSORS * _PROCESSORS:
            return f"keep {needed + self._loop.demand:.1f} of {_PROCESSORS} processors busy"
        return ""

    async def rehearse(self) -> None:
        """Measure what the engines cost, so that admission knows it before the first session.

        The slowest engine counts, because any of them may be asked for. If that is too careful, the
        first sessions correct it; if it were too optimistic, all of them would be late.
        """
        local = [engine for engine in self.engines if not isinstance(engine, RemoteEngine)]
        costs = [await asyncio.to_thread(rehearsal.cost, engine) for engine in local]
        self._load.expect(max(costs, default=0.0))
        self._loop.expect(rehearsal.loop_cost(self.settings))

    async def on_thread(self, work: Callable[[], Result]) -> Result:
        """The result of `work()` on a decoder thread, which has its turn as files have."""
        result, _ = await self._scheduler.run(work, work)
        return result

    def drain(self) -> None:
        """Open no more sessions; those that are open go on."""
        self._draining = True

    def dismiss(self) -> None:
        """End every wait for a source, now and from now on, with `GoingAway`."""
        self._dismissed = True
        for timer in self._waiting:
            timer.reschedule(asyncio.get_running_loop().time())

    @asynccontextmanager
    async def patience(self) -> AsyncIterator[asyncio.Timeout]:
        """Limit the wait for a source in this block. `extend` takes what it gives.

        Raises:
            Idle: it took longer than `server.idle`.
            GoingAway: the daemon is shutting down (`dismiss`).
        """
        idle = self.settings.server.idle
        try:
            async with asyncio.timeout(0 if self._dismissed else idle) as timer:
                self._waiting.add(timer)
                try:
                    yield timer
                finally:
                    self._waiting.discard(timer)
        except TimeoutError as silence:
            if self._dismissed:
                raise GoingAway("the server is shutting down") from silence
            raise Idle(f"nothing came for {idle:g} s") from silence

    def extend(self, wait: asyncio.Timeout) -> None:
        """Begin a wait anew: its source was found alive."""
        if wait in self._waiting and not self._dismissed and not wait.expired():
            wait.reschedule(asyncio.get_running_loop().time() + self.settings.server.idle)

    def _enter(self, session: Session) -> None:
        self.sessions.add(session)
        self._empty.clear()
        if self._loads_threads(session.request):
            self._live.add(session)
        self._share()

    def _leave(self, session: Session) -> None:
        self.sessions.discard(session)
        self.statistics.add(session)
        if session in self._live:
            self._live.remove(session)
            self._load.learn(session)
        self._share()
        if not self.sessions:
            self._empty.set()

    def _share(self) -> None:
        """While sessions are live, reserve a thread for them and measure the event loop."""
        self._scheduler.reserved = 1 if self._live else 0
        self._loop.others = len(self.sessions) > len(self._live)
        if self._live:
            self._loop.start()
        else:
            self._loop.stop()

    async def drained(self) -> None:
        """Wait until no session is open."""
        await self._empty.wait()

    async def _all_terms(self, request: SessionRequest) -> tuple[str, ...]:
        """Those of the request first, then the owner's, then the configured ones; each once."""
        owners: Sequence[str] = ()
        if self._terms_of and request.owner is not None:
            owners = await self._terms_of(request.owner)
        return tuple(dict.fromkeys((*request.options.terms, *owners, *self._terms)))

    def _engine(self, request: SessionRequest) -> AnyEngine:
        return request.engine or self.engines.default

    async def _voices(self, request: SessionRequest) -> model.SpeakerModel | None:
        """What tells the speakers of a session apart; None if that is not wanted."""
        if (request.speakers or self.settings.speakers) == "off":
            return None
        try:
            return await asyncio.to_thread(model.loaded)
        except ConfigError as missing:
            raise BadRequest(f"speakers cannot be told apart here: {missing}") from missing

    def _loads_threads(self, request: SessionRequest) -> bool:
        """Whether its sound must be decoded in time on our threads."""
        return request.live and not isinstance(self._engine(request), RemoteEngine)

    def health(self) -> dict[str, Any]:
        """The state for `/health`."""
        kinds = Counter(session.request.kind for session in self.sessions)
        return {
            "status": "draining" if self._draining else "ok",
            "version": __version__,
            "engine": self.engines.default.name,
            "model": self.engines.default.model,
            "engines": {engine.name: _described(engine) for engine in self.engines},
            "sessions": {kind: kinds[kind] for kind in KINDS},
            "max_sessions": self.settings.server.max_sessions,
            "decoders": {
                "threads": self._scheduler.threads,
                "running": self._scheduler.running,
                "waiting": self._scheduler.waiting,
                "needed": round(self._load.demand(self._live), 2),
                "overloaded": self.overloaded,
            },
            "loop": {
                "needed": round(self._loop.demand, 2),
                "late": round(self._loop.lateness, 3),
            },
            **({"cluster": self.cluster.health} if self.cluster else {}),
        }


def _described(engine: AnyEngine) -> dict[str, Any]:
    return {"model": engine.model, **asdict(engine.capabilities)}
