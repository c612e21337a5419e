"""Utterances through an engine, on the scheduler's threads.

An engine that streams is fed while the speaker goes on, and has little left to do at the end. Other
engines decode the whole utterance for each hypothesis, with a new recognizer. For partials they
decode a live utterance as it grows. They also decode it whenever the speaker pauses: if no speech
follows, the result is the final, ready before the gate has waited out the closing silence.
`docs/tuning.md` has what that gains.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from coqui_server.engines.base import Engine, Hypothesis, Recognizer, RemoteEngine
from coqui_server.media.samples import Samples
from coqui_server.transcription.reporter import Reporter
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.scheduler import Priority, Scheduler
from coqui_server.transcription.timing import Timing
from coqui_server.transcription.utterance import Utterance

_FEED_PACE = 0.2
"""Seconds of new speech after which a streaming engine is fed while the speaker goes on."""

_PREVIEW_SHARE = 4
"""After a preview that took one second, the next one waits for four seconds of new speech. So the
previews of a growing utterance cost a fraction of a thread."""

Result = TypeVar("Result")


class Decoding:
    """Decodes the utterances of one session on the scheduler's threads.

    Args:
        request: whether the session is live, its options, and how often it wants partials.
        reporter: gets each partial whose text differs from the one before.
        paused: called with an open utterance and its text, when the speaker is still silent.
        timing: adds the times of words to finals.

    Attributes:
        final_seconds: seconds of decoding that finals needed.
        partial_seconds: seconds of decoding that became no final.
    """

    def __init__(
        self,
        engine: Engine,
        scheduler: Scheduler,
        request: SessionRequest,
        reporter: Reporter,
        paused: Callable[[Utterance, Hypothesis], None],
        timing: Timing,
    ) -> None:
        self.final_seconds = self.partial_seconds = 0.0
        self._engine = engine
        self._scheduler = scheduler
        self._options = request.options
        self._live = request.live
        self._priority = Priority.LIVE if request.live else Priority.FILE
        self._interim = request.interim
        self._reporter = reporter
        self._paused = paused
        self._timing = timing
        streaming = engine.capabilities.streaming
        self._feed_pace = _FEED_PACE if request.live and streaming else None

    async def decode(self, utterance: Utterance) -> Hypothesis:
        """The final result, once the utterance is closed. Cancelling it stops its other jobs."""
        if self._engine.capabilities.streaming:
            return await self._feed(utterance)
        if not self._live:
            await utterance.speech(None)
            return await self._run(partial(self._decode_final, utterance))
        previews = asyncio.create_task(self._preview(utterance))
        try:
            result = await self._decode_at_pauses(utterance)
        finally:
            previews.cancel()
            (failure,) = await asyncio.gather(previews, return_exceptions=True)
        if isinstance(failure, Exception):
            raise failure
        return result

    async def _decode_at_pauses(self, utterance: Utterance) -> Hypothesis:
        """Decode at each pause: if it is the end, the final is ready when the gate closes."""
        while True:
            length = await utterance.paused_at()
            priority = Priority.EARLY if utterance.end is None else Priority.LIVE
            job = asyncio.create_task(self._decode_pause(utterance, priority))
            try:
                if await utterance.ends_at(length):
                    self._scheduler.promote(self)
                    result, seconds = await job
                    self.final_seconds += seconds
                    return result
                if job.done():
                    self.partial_seconds += job.result()[1]
            finally:
                job.cancel()
                await asyncio.gather(job, return_exceptions=True)

    async def _decode_pause(
        self, utterance: Utterance, priority: Priority
    ) -> tuple[Hypothesis, float]:
        length, pcm = utterance.length, utterance.whole()
        work = partial(self._decode_whole, pcm)
        result, seconds = await self._scheduler.run(self, work, priority)
        if utterance.end is None and utterance.length == length:
            self._paused(utterance, result)
        if utterance.length > length or not self._timing.wanted(result):
            return result, seconds
        # Only now, so that the gate need not wait for the times to know how long it waits.
        priority = Priority.EARLY if utterance.end is None else Priority.LIVE
        align = partial(self._timing.timed, result, pcm)
        result, more = await self._scheduler.run(self, align, priority)
        return result, seconds + more

    async def _feed(self, utterance: Utterance) -> Hypothesis:
        """Feed one recognizer as speech comes."""
        recognizer: Recognizer | None = None
        unshown = 0.0
        while True:
            unshown += await utterance.speech(self._feed_pace)
            last = utterance.end is not None
            due = self._interim is not None and unshown >= self._interim
            showing = due and not last and utterance.first
            step = partial(self._step, recognizer, utterance.take(), showing=showing, last=last)
            recognizer, hypothesis = await self._run(step)
            if hypothesis and last:
                return hypothesis
            if hypothesis:
                unshown = 0.0
                await self._show(utterance, hypothesis)

    def _step(
        self, recognizer: Recognizer | None, pcm: Samples, *, showing: bool, last: bool
    ) -> tuple[Recognizer | None, Hypothesis | None]:
        """On a decoder thread: feed, and get the partial or the final. Frees native memory here."""
        recognizer = recognizer or self._engine.open(self._options)
        recognizer.feed(pcm)
        if last:
            return None, recognizer.finish()
        return recognizer, recognizer.partial() if showing else None

    async def _preview(self, utterance: Utterance) -> None:
        """Decode all speech so far, again and again, for partials."""
        pace = self._interim
        try:
            while pace is not None:
                await utterance.speech(pace)
                if utterance.end is not None:
                    # The final is next, and `speech` would no longer wait.
                    return
                if utterance.first:
                    work = partial(self._decode_partial, utterance, utterance.whole())
                    result, seconds = await self._scheduler.run(self, work, Priority.PARTIAL)
                    self.partial_seconds += seconds
                    pace = max(pace, _PREVIEW_SHARE * seconds)
                    await self._show(utterance, result)
        finally:
            utterance.rest()

    def _decode_whole(self, pcm: Samples, draft: tuple[int, ...] = ()) -> Hypothesis:
        """On a decoder thread: decode with a new recognizer."""
        recognizer = self._engine.open(replace(self._options, draft=draft))
        recognizer.feed(pcm)
        return recognizer.finish()

    def _decode_partial(self, utterance: Utterance, pcm: Samples) -> Hypothesis:
        """On a decoder thread: decode from what the last partial was. Finals have no draft: which
        one they had would depend on the load, and now and then their words with it."""
        result = self._decode_whole(pcm, utterance.draft)
        utterance.draft = result.tokens
        return result

    def _decode_final(self, utterance: Utterance) -> Hypothesis:
        """On a decoder thread: decode all samples, and time the words."""
        pcm = utterance.whole()
        return self._timing.timed(self._decode_whole(pcm), pcm)

    async def _run(self, work: Callable[[], Result]) -> Result:
        """Run work that a final needs."""
        result, seconds = await self._scheduler.run(self, work, self._priority)
        self.final_seconds += seconds
        return result

    async def _show(self, utterance: Utterance, hypothesis: Hypothesis) -> None:
        if hypothesis.text not in ("", utterance.shown):
            utterance.shown = hypothesis.text
            await self._reporter.partial(hypothesis.text, utterance.start)


class RemoteDecoding:
    """Sends utterances to a service. Takes a thread only to time words, and makes no partials,
    which cost money."""

    partial_seconds = 0.0

    def __init__(
        self, engine: RemoteEngine, scheduler: Scheduler, request: SessionRequest, timing: Timing
    ) -> None:
        self.final_seconds = 0.0
        self._engine = engine
        self._scheduler = scheduler
        self._options = request.options
        self._priority = Priority.LIVE if request.live else Priority.FILE
        self._timing = timing

    async def decode(self, utterance: Utterance) -> Hypothesis:
        """The final result, once the utterance is closed."""
        await utterance.speech(None)
        pcm = utterance.whole()
        result = await self._engine.transcribe(pcm, self._options)
        if not self._timing.wanted(result):
            return result
        align = partial(self._timing.timed, result, pcm)
        result, seconds = await self._scheduler.run(self, align, self._priority)
        self.final_seconds += seconds
        return result
