"""A session: one source of sound from open to close, and its transcript."""

import asyncio
import logging
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from coqui_server.config.settings import Settings
from coqui_server.engines.base import AnyEngine
from coqui_server.exceptions import SessionClosed
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.transcription.channels import Sounds
from coqui_server.transcription.events import Dtmf, SessionEnded, SessionStarted, Source
from coqui_server.transcription.keeping import Keeper
from coqui_server.transcription.legs import LegsListening
from coqui_server.transcription.listening import listening
from coqui_server.transcription.reporter import Reporter
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.timing import timing
from coqui_server.transcription.utterance import Span
from coqui_server.transcription.wording import writer
from coqui_server.word_times.aligner import Aligner
from coqui_transcript.transcript import Segment, Transcript, TranscriptWarning

_log = logging.getLogger(__name__)


class Session:
    """Takes 16 kHz samples and gives its sinks the events of their transcript.

    It counts and keeps the sound, and hands it to a way of listening. Use as an async context
    manager: leaving it before `finish` aborts what is in flight.

    Args:
        request: what to open; its `engine` is not None.
        keeper: takes the sound, and each event before the sinks do; None to keep nothing.
        aligner: times the words of engines that do not; None leaves them without words.

    Attributes:
        samples: of sound so far, at 16 kHz.
        legs: how many are heard, each by itself.
        warnings: why something may be missing from the transcript.
    """

    def __init__(
        self,
        request: SessionRequest,
        scheduler: Scheduler,
        settings: Settings,
        keeper: Keeper | None = None,
        aligner: Aligner | None = None,
    ) -> None:
        assert request.engine is not None
        self.id = str(uuid.uuid4())
        self.request = request
        self.engine: AnyEngine = request.engine
        self.samples = 0
        self.legs = 1
        self.warnings: list[TranscriptWarning] = []
        self._keeper = keeper
        source = Source(self.id, request.kind, request.call, request.label, request.owner)
        self._reporter = Reporter(
            source,
            [*([keeper] if keeper else []), *request.sinks],
            writer(request, self.engine, settings),
        )
        self._listening = listening(
            request,
            self.engine,
            scheduler,
            settings,
            self._reporter,
            timing(request, self.engine, settings, aligner),
        )
        self._ended = False
        self._started_at = time.monotonic()

    async def __aenter__(self) -> Self:
        _log.info("session %s: opened, %s, %s", self.id, self.request.kind, self.engine.name)
        try:
            await self._listening.start()
        except BaseException:
            await self._listening.close()
            raise
        try:
            await self._reporter.tell(SessionStarted(self.source, self.engine.name))
        except BaseException as error:
            # A sink that got the start must get the end, after a cancellation too.
            await self.__aexit__(type(error), error, None)
            raise
        return self

    async def __aexit__(self, _: object, error: BaseException | None, __: object) -> None:
        if not self._ended:
            cancelled = error is None or isinstance(error, asyncio.CancelledError)
            await self._listening.close()
            await self._end("cancelled" if cancelled else str(error))

    @property
    def source(self) -> Source:
        """Whose sound it is, as its events say."""
        return self._reporter.source

    @property
    def segments(self) -> list[Segment]:
        """The finals so far."""
        return self._reporter.segments

    @property
    def transcript(self) -> Transcript:
        """The finals so far, as one transcript."""
        return Transcript.of(self.segments, self.duration, self.warnings)

    @property
    def statistics(self) -> Mapping[str, Any]:
        """What the transport has counted so far, and what was dropped."""
        return {**self.request.transport(), **self._reporter.dropped}

    @property
    def decoding_seconds(self) -> float:
        """Seconds of decoding so far."""
        return self._listening.final_seconds + self._listening.partial_seconds

    @property
    def final_seconds(self) -> float:
        """Seconds of decoding that finals took; partials can be left out under load."""
        return self._listening.final_seconds

    @property
    def utterances(self) -> Sequence[Span]:
        """Those of live sound that are not reported yet, in order; none where a service finds
        them."""
        return self._listening.utterances

    @property
    def duration(self) -> float:
        """Seconds of sound so far."""
        return self.samples / SAMPLE_RATE

    @property
    def ahead(self) -> float:
        """Seconds by which the sound is ahead of the clock; negative if it comes late."""
        return self.duration - (time.monotonic() - self._started_at)

    async def write(self, pcm: Samples) -> None:
        """Take the next samples, 16 kHz mono int16, any count; wait if too much is in flight.

        Raises:
            ServerFault: the recogniser, the keeper or a sink failed on something written before.
            SessionClosed: the session is over.
        """
        await self._count(pcm)
        await self._listening.write(pcm)

    async def hear(self, sounds: Sounds) -> None:
        """Take the next samples of each leg of a file, whose channels may be different people.

        Raises:
            ServerFault, SessionClosed: as in `write`.
        """
        assert isinstance(self._listening, LegsListening)
        self.legs = len(sounds)
        await self._count(_together(sounds))
        await self._listening.hear(sounds)

    async def skip(self, samples: int) -> None:
        """End the utterance, and move the clock over silence that need not be decoded.

        Raises:
            ServerFault, SessionClosed: as in `write`.
        """
        await self._count(samples)
        await self._listening.skip(samples)

    async def catch_up(self) -> None:
        """Wait until what can be known of the sound so far is reported, with partials that are due.

        Raises:
            ServerFault, SessionClosed: as in `write`.
        """
        self._check()
        await self._listening.catch_up()
        self._check()

    async def settle(self) -> None:
        """End the utterance, and wait until all finals so far are reported.

        Raises:
            ServerFault, SessionClosed: as in `write`.
        """
        self._check()
        await self._listening.settle()
        self._check()

    async def press(self, digit: str) -> None:
        """Report a telephone key.

        Raises:
            ServerFault, SessionClosed: as in `write`.
        """
        self._check()
        await self._reporter.tell(Dtmf(self.source, digit, self.duration))

    def warn(self, warning: TranscriptWarning) -> None:
        """Say why something may be missing from the transcript."""
        _log.warning("session %s: %s: %s", self.id, warning.code, warning.message)
        self.warnings.append(warning)

    def rename(self, label: str) -> None:
        """Give later events this label."""
        self._reporter.rename(label)

    async def finish(self) -> Transcript:
        """The sound is over: decode what is left, report it, and give the whole transcript.

        Raises:
            ServerFault: the recogniser or a sink failed.
        """
        await self._listening.finish()
        if self._listening.failure:
            raise self._listening.failure
        await self._end(None)
        return self.transcript

    async def _count(self, sound: Samples | int) -> None:
        """Count and keep the next samples, or so many samples of silence."""
        self._check()
        if self._keeper:
            await self._keeper.record(self.id, sound)
        self.samples += sound if isinstance(sound, int) else len(sound)

    def _check(self) -> None:
        if self._ended:
            raise SessionClosed(f"session {self.id} is over")
        if self._listening.failure:
            raise self._listening.failure

    async def _end(self, error: str | None) -> None:
        ended = SessionEnded(
            self.source, self.duration, error, self.statistics, tuple(self.warnings)
        )
        await self._reporter.tell(ended)
        self._ended = True
        _log.info(
            "session %s: %s after %.1f s, %.1f s of sound, %d words, %.2f s of decoding",
            self.id,
            f"ended early ({error})" if error else "finished",
            time.monotonic() - self._started_at,
            self.duration,
            sum(len(segment.text.split()) for segment in self.segments),
            self.decoding_seconds,
        )


def _together(sounds: Sounds) -> Samples:
    """All legs in one channel, as a recording keeps them."""
    first, *others = sounds.values()
    if not others:
        return first
    mixed: Samples = np.mean([first, *others], axis=0).astype(np.int16)
    return mixed
