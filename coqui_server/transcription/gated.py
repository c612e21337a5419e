"""Listening with our own gate: filter, level, utterances, each one through the engine."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np

from coqui_server.config.audio import VadSettings
from coqui_server.config.settings import Settings
from coqui_server.engines.base import AnyEngine, Hypothesis, RemoteEngine
from coqui_server.exceptions import EngineError, ServerFault
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.speakers.voices import Voice
from coqui_server.speech.chunks import ChunkingGate
from coqui_server.speech.endpointing import wait
from coqui_server.speech.level import Leveller
from coqui_server.speech.lowcut import LowCut
from coqui_server.speech.vad import Closed, Gate, GateEvent, Opened, Paused, Speech
from coqui_server.transcription.decoding import Decoding, RemoteDecoding
from coqui_server.transcription.diarization import Diarization
from coqui_server.transcription.reporter import Report, Reported, Reporter
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.stall import StallTimer
from coqui_server.transcription.timing import Timing
from coqui_server.transcription.utterance import Span, Utterance
from coqui_transcript.transcript import Segment, shifted

_FILE_LOOKAHEAD = 30.0
"""Seconds of a file that are read ahead to find its speech level; 1 MB."""

_log = logging.getLogger(__name__)


class GatedListening:
    """Cuts the sound into utterances, decodes them side by side, and reports them in order.

    `write` waits while too many utterances are in flight, which slows a fast source down.

    Args:
        timing: adds the times of words.
        report: takes the utterances instead of `reporter`, for one leg of several, which has one
            speaker. With several speakers, or legs, each utterance is sent to a service by itself,
            because somebody else may speak between two.
    """

    def __init__(
        self,
        engine: AnyEngine,
        request: SessionRequest,
        scheduler: Scheduler,
        settings: Settings,
        reporter: Reporter,
        timing: Timing,
        report: Report | None = None,
    ) -> None:
        self.failure: ServerFault | None = None
        self._engine = engine
        self._reporter = reporter
        self._tell = report or reporter.utterance
        self._decoding = (
            RemoteDecoding(engine, scheduler, request, timing)
            if isinstance(engine, RemoteEngine)
            else Decoding(engine, scheduler, request, reporter, self._paused, timing)
        )
        self._diarization = (
            Diarization(request.voices, request, scheduler, reporter, self._decoding)
            if request.voices and report is None
            else None
        )
        self._lowcut = LowCut(settings.audio.highpass)
        self._leveller = Leveller(settings.level, 0.0 if request.live else _FILE_LOOKAHEAD)
        joined = not request.live and report is None and self._diarization is None
        vad = _vad(settings.vad, request.silence)
        self._gate = _gate(settings, vad, request.live, engine.capabilities.longest, joined)
        self._open: Utterance | None = None
        self._tasks: dict[Utterance, asyncio.Task[tuple[Hypothesis, list[Voice]]]] = {}
        # Two for each thread: one that it decodes, one that waits for it.
        self._in_flight: asyncio.Queue[Utterance | None] = asyncio.Queue(2 * scheduler.threads)
        self._own_tasks: list[asyncio.Task[None]] = []
        self._live = request.live
        self._stall = StallTimer(vad.stalled)
        # The writer and the watch both move the gate, and both may have to wait in the middle.
        self._gating = asyncio.Lock()

    @property
    def final_seconds(self) -> float:
        telling = self._diarization.seconds if self._diarization else 0.0
        return self._decoding.final_seconds + telling

    @property
    def partial_seconds(self) -> float:
        return self._decoding.partial_seconds

    @property
    def utterances(self) -> list[Span]:
        return [(utterance.start, utterance.end) for utterance in self._tasks]

    @property
    def earliest(self) -> float:
        """Seconds before which no utterance begins that is not reported yet."""
        return next(iter(self._tasks)).start if self._tasks else self._gate.earliest

    async def start(self) -> None:
        self._own_tasks = [asyncio.create_task(self._report_in_order())]
        if self._live:
            self._own_tasks.append(asyncio.create_task(self._watch()))

    async def write(self, pcm: Samples) -> None:
        async with self._moving_gate(len(pcm)):
            await self._take(self._gate.push(self._leveller.push(self._lowcut.push(pcm))))

    async def skip(self, samples: int) -> None:
        async with self._moving_gate(samples):
            await self._take(self._gate.skip(samples))

    async def catch_up(self) -> None:
        self._stall.stop()
        for utterance in list(self._tasks):
            await utterance.caught_up()
        self._stall.start(0.0)

    async def settle(self) -> None:
        await self.skip(0)
        await self._in_flight.join()

    async def finish(self) -> None:
        async with self._moving_gate(0):
            rest = self._leveller.push(self._lowcut.flush())
            await self._take(self._gate.push(np.concatenate((rest, self._leveller.flush()))))
            await self._take(self._gate.flush())
            await self._in_flight.put(None)
        await self._own_tasks[0]
        if self._diarization and self.failure is None:
            await self._diarization.correct()
        await self.close()

    async def close(self) -> None:
        tasks = [*self._tasks.values(), *self._own_tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @asynccontextmanager
    async def _moving_gate(self, samples: int) -> AsyncIterator[None]:
        """The only one in this block; its source is not overdue meanwhile, as it waits for us."""
        async with self._gating:
            self._stall.stop()
            yield
            self._stall.start(samples / SAMPLE_RATE)

    async def _watch(self) -> None:
        """End the utterance of a source that has stopped sending."""
        while True:
            await self._stall.wait()
            async with self._gating:
                if self._stall.expired:
                    self._stall.stop()
                    await self._take(self._gate.flush())

    async def _take(self, events: list[GateEvent]) -> None:
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

    def _paused(self, utterance: Utterance, hypothesis: Hypothesis) -> None:
        """What was said so far decides how long the gate waits.

        This takes no lock: the writer, if it waits in the middle of its events, has begun another
        utterance.
        """
        seconds = wait(hypothesis.finished) if hypothesis.text else None
        if utterance is self._open and seconds is not None:
            for event in self._gate.expect(seconds):
                assert isinstance(event, Closed)
                utterance.close(event.end)
                self._open = None

    async def _begin(self, start: float) -> None:
        self._open = utterance = Utterance(start, kept=self._diarization is not None)
        self._tasks[utterance] = asyncio.create_task(self._decode(utterance))
        await self._in_flight.put(utterance)

    async def _decode(self, utterance: Utterance) -> tuple[Hypothesis, list[Voice]]:
        try:
            if self._diarization is None:
                return await self._decoding.decode(utterance), []
            async with self._diarization.hearing(utterance) as voices:
                return await self._decoding.decode(utterance), await voices
        except ServerFault:
            raise
        # An engine's native library may raise anything.
        except Exception as error:
            _log.exception("session %s: the recogniser failed", self._reporter.source.session)
            raise EngineError(f"the recogniser {self._engine.name} failed") from error

    async def _report_in_order(self) -> None:
        """Report finals in order. After a failure, only empty the queue, so that `write` ends."""
        while (utterance := await self._in_flight.get()) is not None:
            utterance.first = True
            decoding = self._tasks[utterance]
            try:
                if self.failure is None:
                    await self._report(utterance, *await decoding)
            except ServerFault as fault:
                self.failure = fault
            finally:
                del self._tasks[utterance]
                decoding.cancel()
                await asyncio.gather(decoding, return_exceptions=True)
                utterance.report()
                self._in_flight.task_done()

    async def _report(self, utterance: Utterance, result: Hypothesis, voices: list[Voice]) -> None:
        assert utterance.end is not None
        segment = Segment(
            utterance.start,
            utterance.end,
            result.text,
            words=shifted(result.words, utterance.start),
            confidence=result.confidence,
            alternatives=result.alternatives,
        )
        segments = [segment] if result.text else []
        if self._diarization:
            segments = await self._diarization.told(segments, voices)
        await self._tell(Reported(utterance.start, utterance.end, tuple(segments), result.dropped))


def _vad(vad: VadSettings, silence: float | None) -> VadSettings:
    """The settings, with the silence that a request wants for its live sound."""
    if silence is None:
        return vad
    live = vad.silence.model_copy(update={"live": silence})
    return vad.model_copy(update={"silence": live})


def _gate(
    settings: Settings, vad: VadSettings, live: bool, longest: float | None, joined: bool
) -> Gate | ChunkingGate:
    """The gate for an engine that takes at most `longest` seconds at a time (None: any length)."""
    if longest is None:
        return Gate(vad, settings.audio, live)
    shorter = vad.model_copy(update={"max_utterance": min(vad.max_utterance, longest)})
    gate = Gate(shorter, settings.audio, live)
    return ChunkingGate(gate, longest) if joined else gate
