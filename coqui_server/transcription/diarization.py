"""Whose the utterances of a session are, for a source with several people on one channel.

Each utterance gets its speakers as it is reported, from what was heard until then. At the end, all
of it is looked at once more, and what was told wrongly is corrected.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from itertools import islice
from typing import TypeVar

from coqui_server.config.speakers import MOST
from coqui_server.speakers import turns
from coqui_server.speakers.clustering import cluster
from coqui_server.speakers.model import SpeakerModel
from coqui_server.speakers.register import Register, regrouped
from coqui_server.speakers.voices import Voice
from coqui_server.transcription.reporter import Reporter
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.scheduler import Priority, Scheduler
from coqui_server.transcription.utterance import Utterance
from coqui_transcript.transcript import Segment

_GROWTH = 2
"""How much longer an utterance must be at a pause than when its voices were last looked for, in
case it is over. So all of that costs at most as much again as at the end alone."""


_KEPT = 22_000
"""Voices that are looked at once more, those of 12 hours; 30 MB. Of a longer session, what was told
stays."""

Result = TypeVar("Result")


class Diarization:
    """The speakers of one listening.

    Args:
        owner: of the jobs on the scheduler's threads: a session has one turn for all of them.

    Attributes:
        seconds: of a thread that it took.
    """

    def __init__(
        self,
        model: SpeakerModel,
        request: SessionRequest,
        scheduler: Scheduler,
        reporter: Reporter,
        owner: object,
    ) -> None:
        self.seconds = 0.0
        self._model = model
        self._live = request.live
        self._count = request.speakers if isinstance(request.speakers, int) else None
        self._scheduler = scheduler
        self._reporter = reporter
        self._owner = owner
        self._register = Register(self._count)
        self._voices: list[Voice] = []
        # Who each of them was told to be.
        self._people: list[int] = []
        self._windows = 0
        # For each utterance, the number of its finals and of its voices.
        self._told: list[tuple[int, int]] = []
        self._first = len(reporter.segments)

    @asynccontextmanager
    async def hearing(self, utterance: Utterance) -> AsyncIterator["asyncio.Task[list[Voice]]"]:
        """Look for the voices of an utterance, which is kept, until the block is left."""
        task = asyncio.create_task(self._hear(utterance))
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _hear(self, utterance: Utterance) -> list[Voice]:
        """The voices of an utterance, once it is closed; their times are those of the session."""
        tried = 0
        while True:
            length = await (utterance.paused_at() if self._live else utterance.ended())
            if utterance.end is None and length < _GROWTH * tried:
                await utterance.ends_at(length)
                continue
            tried = length
            job = asyncio.create_task(self._look(utterance))
            try:
                if await utterance.ends_at(length):
                    self._scheduler.promote(self._owner)
                    return [voice.moved(utterance.start, 0) for voice in await job]
            finally:
                job.cancel()
                await asyncio.gather(job, return_exceptions=True)

    async def _look(self, utterance: Utterance) -> list[Voice]:
        early = Priority.EARLY if utterance.end is None else Priority.LIVE
        priority = early if self._live else Priority.FILE
        return await self._run(partial(self._model.voices, utterance.whole()), priority)

    async def told(self, segments: list[Segment], voices: list[Voice]) -> list[Segment]:
        """The segments of the next utterance, cut where its speakers change, with their names."""
        priority = Priority.LIVE if self._live else Priority.FILE
        people = await self._run(partial(self._register.assign, voices), priority)
        its = turns.turns(voices, people)
        parts = [part for segment in segments for part in turns.split(segment, its)]
        if len(self._voices) <= _KEPT:
            self._voices += [voice.moved(0.0, self._windows) for voice in voices]
            self._people += people
            self._windows += 1 + max((voice.window for voice in voices), default=0)
            self._told.append((len(parts), len(voices)))
        return parts

    async def correct(self) -> None:
        """The session is over: tell the speakers that are others than was told."""
        if len(self._voices) > _KEPT:
            return
        people = await self._run(self._grouped, Priority.FILE)
        segments = iter(list(enumerate(self._reporter.segments))[self._first :])
        pairs = iter(zip(self._voices, people, strict=True))
        speakers: dict[int, str | None] = {}
        for finals, voices in self._told:
            its = turns.turns(*zip(*islice(pairs, voices), strict=True)) if voices else []
            for number, segment in islice(segments, finals):
                speakers[number] = turns.speaker(segment, its)
        await self._reporter.correct(speakers)

    def _grouped(self) -> list[int]:
        """Who each voice is. In live sound people keep the numbers by which they may be known."""
        groups = cluster(self._voices, self._count, MOST)
        return regrouped(self._voices, groups, self._people) if self._live else groups

    async def _run(self, work: Callable[[], Result], priority: Priority) -> Result:
        result, seconds = await self._scheduler.run(self._owner, work, priority)
        self.seconds += seconds
        return result
