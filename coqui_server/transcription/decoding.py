"""An utterance's way through an engine, on the scheduler's threads.

An engine that streams is fed while the speaker goes on, and has little left to do at the end. The
others decode all they have for each hypothesis, with a recognizer of its own. They preview a live
utterance as it grows, for the partials, and decode it whenever the speaker pauses: if nothing is
said after that, it is the final, made while the gate still waited for the end to be sure.
`docs/tuning.md` has what that gains.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from coqui_server.engines.base import Engine, Hypothesis, Options, Recognizer, RemoteEngine
from coqui_server.media.samples import Samples
from coqui_server.transcription.scheduler import Priority, Scheduler
from coqui_server.transcription.utterance import Utterance

_FEED_PACE = 0.2
"""Seconds of new speech after which a streaming engine is fed while the speaker goes on."""

_PREVIEW_SHARE = 4
"""A preview that took one second is followed by the next after four of new speech: what a growing
utterance costs in previews stays a fraction of a thread."""

Result = TypeVar("Result")

Show = Callable[[Utterance, str], Awaitable[None]]
"""Announces the text of a partial."""


class Decoding:
    """Decodes utterances of one session.

    Args:
        owner: whose turn it is when threads are shared.
        interim: seconds of new speech between partials; None for none.
        visible: whether partials of this utterance may be shown: the finals before it are out.
        show: called with each partial's text that differs from the one before.

    Attributes:
        finals: seconds spent on what finals need.
        partials: seconds spent on what became no final.
    """

    def __init__(
        self,
        engine: Engine,
        scheduler: Scheduler,
        owner: object,
        options: Options,
        *,
        live: bool,
        interim: float | None,
        visible: Callable[[Utterance], bool],
        show: Show,
    ) -> None:
        self.finals = self.partials = 0.0
        self._engine = engine
        self._scheduler = scheduler
        self._owner = owner
        self._options = options
        self._live = live
        self._priority = Priority.LIVE if live else Priority.FILE
        self._interim = interim
        self._visible = visible
        self._show = show
        self._feeding = _FEED_PACE if live and engine.capabilities.streaming else None

    async def decode(self, utterance: Utterance) -> Hypothesis:
        """What the utterance says, once it is closed. Cancelling it stops its other jobs."""
        if self._engine.capabilities.streaming:
            return await self._feed(utterance)
        if not self._live:
            await utterance.due(None)
            return await self._run(partial(self._look, utterance))
        previews = asyncio.create_task(self._preview(utterance))
        try:
            said = await self._foresee(utterance)
        finally:
            previews.cancel()
            (failure,) = await asyncio.gather(previews, return_exceptions=True)
        if isinstance(failure, Exception):
            raise failure
        return said

    async def _foresee(self, utterance: Utterance) -> Hypothesis:
        """Decode at each pause, as it may be the end: then the final is there when that is sure."""
        while True:
            length = await utterance.still()
            priority = Priority.EARLY if utterance.end is None else Priority.LIVE
            job = self._scheduler.run(self._owner, partial(self._look, utterance), priority)
            look = asyncio.create_task(job)
            try:
                if await utterance.ends(length):
                    self._scheduler.promote(self._owner)
                    said, seconds = await look
                    self.finals += seconds
                    return said
                if look.done():
                    self.partials += look.result()[1]
            finally:
                look.cancel()
                await asyncio.gather(look, return_exceptions=True)

    async def _feed(self, utterance: Utterance) -> Hypothesis:
        """Feed one recognizer as speech comes."""
        recognizer: Recognizer | None = None
        unshown = 0.0
        while True:
            unshown += await utterance.due(self._feeding)
            last = utterance.end is not None
            due = self._interim is not None and unshown >= self._interim
            showing = due and not last and self._visible(utterance)
            step = partial(self._step, recognizer, utterance.take(), showing=showing, last=last)
            recognizer, hypothesis = await self._run(step)
            if hypothesis and last:
                return hypothesis
            if hypothesis:
                unshown = 0.0
                await self._tell(utterance, hypothesis)

    def _step(
        self, recognizer: Recognizer | None, pcm: Samples, *, showing: bool, last: bool
    ) -> tuple[Recognizer | None, Hypothesis | None]:
        """On a decoder thread: feed, and ask for what is wanted. Native memory is freed here."""
        recognizer = recognizer or self._engine.open(self._options)
        recognizer.feed(pcm)
        if last:
            return None, recognizer.finish()
        return recognizer, recognizer.partial() if showing else None

    async def _preview(self, utterance: Utterance) -> None:
        pace = self._interim
        while pace is not None:
            await utterance.due(pace)
            if utterance.end is not None:
                # Its final is next; and `due` would not wait any more.
                return
            if self._visible(utterance):
                look = partial(self._look, utterance)
                said, seconds = await self._scheduler.run(self._owner, look, Priority.PARTIAL)
                self.partials += seconds
                pace = max(pace, _PREVIEW_SHARE * seconds)
                await self._tell(utterance, said)

    def _look(self, utterance: Utterance) -> Hypothesis:
        """On a decoder thread: what all of it so far says."""
        recognizer = self._engine.open(self._options)
        recognizer.feed(utterance.whole())
        return recognizer.finish()

    async def _run(self, work: Callable[[], Result]) -> Result:
        """Run what a final needs."""
        result, seconds = await self._scheduler.run(self._owner, work, self._priority)
        self.finals += seconds
        return result

    async def _tell(self, utterance: Utterance, hypothesis: Hypothesis) -> None:
        if hypothesis.text not in ("", utterance.shown):
            utterance.shown = hypothesis.text
            await self._show(utterance, hypothesis.text)


class RemoteDecoding:
    """Has utterances decoded by a service. Takes no thread's time, and makes no partials: each
    would be billed."""

    finals = partials = 0.0

    def __init__(self, engine: RemoteEngine, options: Options) -> None:
        self._engine = engine
        self._options = options

    async def decode(self, utterance: Utterance) -> Hypothesis:
        """What the utterance says, once it is closed."""
        await utterance.due(None)
        return await self._engine.transcribe(utterance.whole(), self._options)
