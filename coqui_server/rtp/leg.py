"""One side of a call, from its stream to its session."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from coqui_server.exceptions import RequestError
from coqui_server.rtp.playout import Key, Pause, Piece, Sound
from coqui_server.rtp.stream import Stream
from coqui_server.transcription.events import Event, Final, Sink
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.service import Service
from coqui_server.transcription.session import Session

_log = logging.getLogger(__name__)


class Leg:
    """Plays a stream into its own session until the stream ends, is idle or is told to end.

    Args:
        forget: removes the stream from its port.

    Attributes:
        call: the call's id.
        session: once it is open.
    """

    def __init__(
        self,
        stream: Stream,
        service: Service,
        call: str,
        sinks: Sequence[Sink],
        forget: Callable[[], None],
    ) -> None:
        self.stream = stream
        self.call = call
        self.session: Session | None = None
        self._service = service
        self._sinks = sinks
        self._forget = forget
        self._wake = asyncio.Event()
        # The time of the last `look`: packets that wait in the kernel since then are not silence.
        self._now = stream.heard
        self._opened = time.time()
        self._ending: str | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> "asyncio.Task[None]":
        """Start; the task runs until the leg has ended."""
        self._task = asyncio.create_task(self._run())
        return self._task

    @property
    def label(self) -> str | None:
        """The name of this leg for people."""
        return self.session.source.label if self.session else self.stream.names.label

    def rename(self, label: str) -> None:
        """Rename this leg from now on."""
        if self.session:
            self.session.rename(label)

    def statistics(self) -> dict[str, Any]:
        """The session's id, its seconds of sound, and the packets so far. `opened` is in seconds
        since 1970 by our clock."""
        return {
            "session": self.session.id if self.session else None,
            "opened": round(self._opened, 3),
            "duration": round(self.session.duration, 3) if self.session else 0.0,
            **self.stream.statistics(),
        }

    def look(self, now: float) -> None:
        """Wake the leg if its stream has packets for it or has been silent for too long."""
        self._now = now
        if self.stream.over:
            self.end("the source said goodbye")
        elif now - self.stream.heard > self._service.settings.rtp.idle:
            self.end("no packets")
        elif self.stream.pending:
            self._wake.set()

    def end(self, reason: str) -> None:
        """Play what was received, and finish. Later packets of the source open a new session,
        except those that come late after its BYE."""
        self._ending = self._ending or reason
        if not self.stream.over:
            self._forget()
        self._wake.set()

    async def _run(self) -> None:
        names, pace = self.stream.names, self._service.settings.partials.pace
        try:
            request = SessionRequest(
                "rtp",
                format=self._service.settings.text.calls,
                interim=pace,
                call=self.call,
                label=names.label,
                sinks=(*self._sinks, self._log_final),
                transport=self._counted,
            )
            async with self._service.session(request) as session:
                self.session = session
                _log.info("call %s: session %s", self.call, session.id)
                await self._play(session)
        except RequestError as failure:
            _log.warning("call %s: ended early: %s", self.call, failure)

    async def _play(self, session: Session) -> None:
        while self._ending is None:
            await self._wake.wait()
            self._wake.clear()
            await self._write(session, self.stream.take(self._now))
        await self._write(session, self.stream.take(self._now, flush=True))
        await session.finish()

    def _counted(self) -> Mapping[str, Any]:
        return {**self.stream.statistics(), "ended": self._ending}

    async def _write(self, session: Session, pieces: list[Piece]) -> None:
        if session.source.label is None and self.stream.cname:
            session.rename(self.stream.cname)
        await play(pieces, session)
        if (fault := self.stream.fault) and fault not in session.warnings:
            session.warn(fault)

    async def _log_final(self, event: Event) -> None:
        if isinstance(event, Final):
            said, session = event.segment, event.source.session
            span = f"{said.start:.2f}-{said.end:.2f} s"
            words = len(said.text.split())
            _log.info("call %s: session %s: %s, %d words", self.call, session, span, words)


async def play(pieces: Iterable[Piece], session: Session) -> None:
    """Write the pieces of a stream into a session.

    Raises:
        ServerFault, SessionClosed: as in `Session.write`.
    """
    for piece in pieces:
        match piece:
            case Sound(pcm):
                await session.write(pcm)
            case Pause(samples):
                await session.skip(samples)
            case Key(digit):
                await session.press(digit)
