"""A session: one source of sound from open to close, and its transcript."""

import asyncio
import logging
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from coqui_server.config.audio import Kind
from coqui_server.config.settings import Settings
from coqui_server.engines.base import DEFAULT_OPTIONS, AnyEngine, Hypothesis, Options, RemoteEngine
from coqui_server.exceptions import EngineError, ServerFault, SessionClosed
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.speech.chunks import ChunkingGate
from coqui_server.speech.level import Leveller
from coqui_server.speech.vad import Closed, Gate, GateEvent, Opened, Paused, Speech
from coqui_server.transcription.decoding import Decoding, RemoteDecoding
from coqui_server.transcription.events import (
    Dtmf,
    Event,
    Final,
    Partial,
    SessionEnded,
    SessionStarted,
    Sink,
    Source,
    UtteranceEnd,
)
from coqui_server.transcription.keeping import Keeper
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.utterance import Utterance
from coqui_transcript.transcript import Segment, Transcript, shifted

_FILE_LOOKAHEAD = 30.0
"""Seconds of a file that are read ahead to find its speech level; 1 MB."""

_log = logging.getLogger(__name__)


class Session:
    """Takes 16 kHz samples, tells its sinks what was said.

    Utterances are decoded side by side on the scheduler's threads and announced in order. `write`
    waits while too many are in flight, which is how a fast source is slowed down. Use as an async
    context manager: leaving it before `finish` aborts what is in flight.

    Args:
        interim: seconds of new speech between partials; None for finals only.
        keeper: takes the sound, and each event before the sinks do.
        sinks: told each event one after another, in this order.

    Attributes:
        statistics: what the transport counted, for the last event; its owner keeps it.
    """

    def __init__(
        self,
        kind: Kind,
        engine: AnyEngine,
        scheduler: Scheduler,
        settings: Settings,
        *,
        options: Options = DEFAULT_OPTIONS,
        interim: float | None = None,
        keeper: Keeper | None = None,
        sinks: Sequence[Sink] = (),
        call: str | None = None,
        label: str | None = None,
        owner: str | None = None,
    ) -> None:
        self.id = str(uuid.uuid4())
        self.kind = kind
        self.source = Source(self.id, kind, call, label, owner)
        self.engine = engine
        self.statistics: Mapping[str, Any] = {}
        self.segments: list[Segment] = []
        self.samples = 0
        self._decoding = (
            RemoteDecoding(engine, options)
            if isinstance(engine, RemoteEngine)
            else Decoding(
                *(engine, scheduler, self, options),
                live=kind != "file",
                interim=interim,
                visible=lambda utterance: utterance is self._head,
                show=self._show,
            )
        )
        self._keeper = keeper
        first: tuple[Sink, ...] = (keeper,) if keeper else ()
        self._sinks = (*first, *sinks)
        self._leveller = Leveller(settings.level, _FILE_LOOKAHEAD if kind == "file" else 0.0)
        self._gate = _gate(settings, kind, engine.capabilities.longest)
        self._open: Utterance | None = None
        self._head: Utterance | None = None
        self._tasks: dict[Utterance, asyncio.Task[Hypothesis]] = {}
        # Two for each thread: one that it decodes, one that waits for it.
        self._line: asyncio.Queue[Utterance | None] = asyncio.Queue(2 * scheduler.threads)
        self._announcer: asyncio.Task[None] | None = None
        self._failure: ServerFault | None = None
        self._ended = False
        self._started_at = time.monotonic()

    async def __aenter__(self) -> "Session":
        _log.info("session %s: opened, %s, %s", self.id, self.kind, self.engine.name)
        try:
            await self._tell(SessionStarted(self.source, self.engine.name))
        except BaseException as error:
            # Who was told of the beginning has to be told of the end, after a cancellation too.
            await self.__aexit__(type(error), error, None)
            raise
        self._announcer = asyncio.create_task(self._announce())
        return self

    async def __aexit__(self, _: object, error: BaseException | None, __: object) -> None:
        if not self._ended:
            cancelled = error is None or isinstance(error, asyncio.CancelledError)
            await self._abort("cancelled" if cancelled else str(error))

    @property
    def transcript(self) -> Transcript:
        """What was said so far."""
        return Transcript.of(self.segments, self.duration)

    @property
    def work(self) -> float:
        """Seconds of decoding so far."""
        return self._decoding.finals + self._decoding.partials

    @property
    def needed(self) -> float:
        """Seconds of decoding that finals took, as partials can be left out."""
        return self._decoding.finals

    @property
    def duration(self) -> float:
        """Seconds of sound so far."""
        return self.samples / SAMPLE_RATE

    async def write(self, pcm: Samples) -> None:
        """Take the next samples, 16 kHz mono int16, any count; wait if too much is in flight.

        Raises:
            ServerFault: the recogniser, the keeper or a sink failed on something written before.
            SessionClosed: the session is over.
        """
        await self._take(pcm)
        await self._hear(self._gate.push(self._leveller.push(pcm)))

    async def skip(self, samples: int) -> None:
        """Close the utterance and move the clock over silence that nobody needs to listen to.

        Raises:
            ServerFault, SessionClosed: as in `write`.
        """
        await self._take(samples)
        await self._hear(self._gate.skip(samples))

    async def settle(self) -> None:
        """Close the utterance and wait until all that was said is announced.

        Raises:
            ServerFault, SessionClosed: as in `write`.
        """
        await self.skip(0)
        await self._line.join()
        self._check()

    async def press(self, digit: str) -> None:
        """Announce a telephone key.

        Raises:
            ServerFault, SessionClosed: as in `write`.
        """
        self._check()
        await self._tell(Dtmf(self.source, digit, self.duration))

    def rename(self, label: str) -> None:
        """Later events carry this label."""
        self.source = replace(self.source, label=label)

    async def finish(self) -> Transcript:
        """The sound is over: decode what is left, announce it, and give the whole transcript.

        Raises:
            ServerFault: the recogniser or a sink failed.
        """
        await self._hear(self._gate.push(self._leveller.flush()))
        await self._hear(self._gate.flush())
        await self._line.put(None)
        assert self._announcer is not None
        await self._announcer
        if self._failure:
            raise self._failure
        await self._end(None)
        return self.transcript

    async def _take(self, sound: Samples | int) -> None:
        """Count and keep the next samples, or so many samples of silence."""
        self._check()
        if self._keeper:
            await self._keeper.record(self.id, sound)
        self.samples += sound if isinstance(sound, int) else len(sound)

    def _check(self) -> None:
        if self._ended:
            raise SessionClosed(f"session {self.id} is over")
        if self._failure:
            raise self._failure

    async def _hear(self, events: list[GateEvent]) -> None:
        for event in events:
            match event:
                case Opened(start):
                    await self._begin(start)
                case Speech(pcm) if self._open:
                    self._open.add(pcm)
                case Paused() if self._open:
                    self._open.pause()
                case Closed(end) if self._open:
                    self._open.close(end)
                    self._open = None

    async def _begin(self, start: float) -> None:
        self._open = utterance = Utterance(start)
        self._tasks[utterance] = asyncio.create_task(self._decode(utterance))
        await self._line.put(utterance)

    async def _decode(self, utterance: Utterance) -> Hypothesis:
        try:
            return await self._decoding.decode(utterance)
        except ServerFault:
            raise
        # An engine's native library may raise anything.
        except Exception as error:
            _log.exception("session %s: the recogniser failed", self.id)
            raise EngineError(f"the recogniser {self.engine.name} failed") from error

    async def _show(self, utterance: Utterance, text: str) -> None:
        await self._tell(Partial(self.source, text, utterance.start))

    async def _announce(self) -> None:
        """Tell finals in order. After a failure, only empty the line, so that no writer hangs."""
        while (utterance := await self._line.get()) is not None:
            self._head = utterance
            decoding = self._tasks[utterance]
            try:
                if self._failure is None:
                    await self._settle(utterance, await decoding)
            except ServerFault as fault:
                self._failure = fault
            finally:
                del self._tasks[utterance]
                decoding.cancel()
                await asyncio.gather(decoding, return_exceptions=True)
                self._line.task_done()

    async def _settle(self, utterance: Utterance, said: Hypothesis) -> None:
        end = utterance.end if utterance.end is not None else self.duration
        if said.text:
            segment = Segment(
                utterance.start,
                end,
                said.text,
                words=shifted(said.words, utterance.start),
                confidence=said.confidence,
                alternatives=said.alternatives,
            )
            await self._say(segment)
        await self._tell(UtteranceEnd(self.source, end))

    async def _say(self, segment: Segment) -> None:
        self.segments.append(segment)
        _log.debug("session %s: %.2f-%.2f %s", self.id, segment.start, segment.end, segment.text)
        await self._tell(Final(self.source, segment))

    async def _tell(self, event: Event) -> None:
        try:
            for sink in self._sinks:
                await sink(event)
        except ServerFault:
            raise
        # A sink is somebody else's code; what it raises ends this session, and no other.
        except Exception as error:
            _log.exception("session %s: an event could not be passed on", self.id)
            raise ServerFault("a transcript event could not be passed on") from error

    async def _abort(self, reason: str) -> None:
        tasks = [*self._tasks.values(), *([self._announcer] if self._announcer else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._end(reason)

    async def _end(self, error: str | None) -> None:
        await self._tell(SessionEnded(self.source, self.duration, error, self.statistics))
        self._ended = True
        words = sum(len(segment.text.split()) for segment in self.segments)
        _log.info(
            "session %s: %s after %.1f s, %.1f s of sound, %d words, %.2f s of decoding",
            *(self.id, f"ended early ({error})" if error else "finished"),
            *(time.monotonic() - self._started_at, self.duration, words, self.work),
        )


def _gate(settings: Settings, kind: Kind, longest: float | None) -> Gate | ChunkingGate:
    """What cuts the sound, for an engine that takes no more than `longest` seconds at a time."""
    vad = settings.vad
    if longest is None:
        return Gate(vad, settings.audio, kind)
    shorter = vad.model_copy(update={"max_utterance": min(vad.max_utterance, longest)})
    gate = Gate(shorter, settings.audio, kind)
    return ChunkingGate(gate, longest) if kind == "file" else gate
