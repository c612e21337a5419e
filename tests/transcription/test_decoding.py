"""An utterance's way through an engine: what is decoded when, and what is shown."""

import asyncio
import itertools
import threading
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest

from coqui_server.engines.base import Capabilities, Engine, Hypothesis, Options
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.transcription.decoding import Decoding
from coqui_server.transcription.events import Event, Partial, Source
from coqui_server.transcription.reporter import Reporter
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.timing import Timing
from coqui_server.transcription.utterance import Utterance
from tests.support.clips import clip, spoken


@dataclass
class Scribe:
    """An engine that writes down what it is asked for; its text is how many tenths it heard. The
    first `held` hypotheses wait for `passing`."""

    streaming: bool = False
    constant: bool = False
    fails: bool = False
    name: str = "scribe"
    model: str = "none"
    held: int = 100
    calls: list[str] = field(default_factory=list)
    drafts: list[tuple[int, ...]] = field(default_factory=list)
    passing: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.passing.set()

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(streaming=self.streaming)

    def open(self, options: Options) -> "Heard":
        self.drafts.append(options.draft)
        return Heard(self)


@dataclass
class Heard:
    """What one of the scribe's recognizers was fed."""

    scribe: Scribe
    tenths: int = 0

    def feed(self, pcm: Samples) -> None:
        self.tenths += len(pcm) // (SAMPLE_RATE // 10)
        self.scribe.calls.append(f"feed {len(pcm) // (SAMPLE_RATE // 10)}")

    def partial(self) -> Hypothesis:
        return self._say("partial")

    def finish(self) -> Hypothesis:
        return self._say("finish")

    def _say(self, call: str) -> Hypothesis:
        self.scribe.calls.append(call)
        if self.scribe.calls.count(call) <= self.scribe.held:
            assert self.scribe.passing.wait(10)
        if self.scribe.fails:
            raise RuntimeError("native trouble")
        text = "same" if self.scribe.constant else f"{self.tenths}"
        return Hypothesis(text, tokens=(self.tenths,))


@dataclass(eq=False)
class Speaker:
    """Speaks into an utterance that is decoded meanwhile."""

    engine: Engine
    scheduler: Scheduler
    live: bool = True
    interim: float | None = 0.5
    first: bool = True
    ends: bool = False
    shown: list[str] = field(default_factory=list)
    paused: list[str] = field(default_factory=list)
    utterance: Utterance = field(default_factory=lambda: Utterance(0.0))

    def start(self) -> "asyncio.Task[Hypothesis]":
        """Begin to decode."""
        self.utterance.first = self.first
        request = SessionRequest("live" if self.live else "file", interim=self.interim)
        reporter = Reporter(Source("here", request.kind), [self._show])
        self.decoding = Decoding(
            self.engine, self.scheduler, request, reporter, self._silent, Timing()
        )
        return asyncio.create_task(self.decoding.decode(self.utterance))

    async def say(self, pcm: Samples) -> None:
        """Add sound, and wait until all jobs that it made worth while are done."""
        self.utterance.add(pcm)
        await settled(self.scheduler)

    async def pause(self) -> None:
        """Be silent, and wait until all jobs that it made worth while are done."""
        self.utterance.pause()
        await settled(self.scheduler)

    def _silent(self, utterance: Utterance, hypothesis: Hypothesis) -> None:
        assert utterance is self.utterance
        self.paused.append(hypothesis.text)

    async def _show(self, event: Event) -> None:
        assert isinstance(event, Partial)
        self.shown.append(event.text)
        if self.ends:
            self.utterance.close(0.5)


async def settled(scheduler: Scheduler) -> None:
    """Wait until nothing runs and nothing will."""
    for _ in range(10):
        await asyncio.sleep(0)
        while scheduler.running or scheduler.waiting:
            # Not 0: a loop that never rests takes the interpreter from the thread it waits for.
            await asyncio.sleep(0.002)


def tenths(count: int) -> Samples:
    """So many tenths of a second of sound."""
    return np.ones(count * SAMPLE_RATE // 10, np.int16)


async def test_a_streaming_engine_is_fed_as_speech_comes(scheduler: Scheduler) -> None:
    """It has little left to do at the end; its partials come when the pace has passed."""
    scribe = Scribe(streaming=True)
    speaker = Speaker(scribe, scheduler)
    decoding = speaker.start()
    for _ in range(6):
        await speaker.say(tenths(2))
    speaker.utterance.add(tenths(1))
    speaker.utterance.close(1.3)
    assert (await decoding).text == "13"
    feeds = ["feed 2", "feed 2", "feed 2", "partial"]
    assert scribe.calls == [*feeds, *feeds, "feed 1", "finish"]
    assert speaker.shown == ["6", "12"]
    assert speaker.decoding.partial_seconds == 0 < speaker.decoding.final_seconds


async def test_a_streaming_engine_is_not_asked_for_partials_nobody_wants(
    scheduler: Scheduler,
) -> None:
    """Without a pace it is fed all the same."""
    scribe = Scribe(streaming=True)
    speaker = Speaker(scribe, scheduler, interim=None)
    decoding = speaker.start()
    await speaker.say(tenths(10))
    speaker.utterance.close(1.0)
    assert (await decoding).text == "10"
    assert scribe.calls == ["feed 10", "feed 0", "finish"]


async def test_a_file_is_decoded_whole(scheduler: Scheduler) -> None:
    """Nobody reads along, so a streaming engine has it in one piece."""
    scribe = Scribe(streaming=True)
    speaker = Speaker(scribe, scheduler, live=False, interim=None)
    decoding = speaker.start()
    for _ in range(3):
        await speaker.say(tenths(5))
    speaker.utterance.close(1.5)
    assert (await decoding).text == "15"
    assert scribe.calls == ["feed 15", "finish"]


async def test_a_partial_begins_with_the_one_before(scheduler: Scheduler) -> None:
    """Of the same utterance. A final begins with nothing: its words do not depend on the load."""
    scribe = Scribe()
    for _ in range(2):
        speaker = Speaker(scribe, scheduler)
        decoding = speaker.start()
        await speaker.say(tenths(5))
        await speaker.say(tenths(5))
        speaker.utterance.close(1.0)
        assert (await decoding).text == "10"
    assert scribe.drafts == [(), (5,), ()] * 2


@pytest.mark.parametrize("streaming", [False, True])
async def test_what_cannot_be_seen_yet_is_not_shown(scheduler: Scheduler, streaming: bool) -> None:
    """An utterance whose forerunner has no final yet has no partials; then they go on."""
    speaker = Speaker(Scribe(streaming=streaming), scheduler, first=False)
    decoding = speaker.start()
    await speaker.say(tenths(10))
    assert speaker.shown == []
    speaker.utterance.first = True
    await speaker.say(tenths(5))
    assert speaker.shown == ["15"]
    speaker.utterance.close(1.5)
    await decoding


@pytest.mark.parametrize("streaming", [False, True])
async def test_an_unchanged_text_is_shown_once(scheduler: Scheduler, streaming: bool) -> None:
    """A partial that says nothing new is not sent."""
    scribe = Scribe(streaming=streaming, constant=True)
    speaker = Speaker(scribe, scheduler)
    decoding = speaker.start()
    for _ in range(4):
        await speaker.say(tenths(5))
    speaker.utterance.close(2.0)
    await decoding
    assert scribe.calls.count("partial" if streaming else "finish") >= 4
    assert speaker.shown == ["same"]


async def test_previews_are_of_all_so_far(scheduler: Scheduler) -> None:
    """An engine that does not stream hears the whole utterance anew for each hypothesis."""
    scribe = Scribe()
    speaker = Speaker(scribe, scheduler)
    decoding = speaker.start()
    for _ in range(3):
        await speaker.say(tenths(5))
    speaker.utterance.close(1.5)
    assert (await decoding).text == "15"
    previews = ["feed 5", "finish", "feed 10", "finish", "feed 15", "finish"]
    assert scribe.calls == [*previews, "feed 15", "finish"]
    assert speaker.shown == ["5", "10", "15"]
    assert speaker.decoding.partial_seconds > 0


@pytest.mark.parametrize("interim", [None, 0.5])
async def test_what_was_said_at_the_pause_is_the_final(
    scheduler: Scheduler, interim: float | None
) -> None:
    """It is not decoded again when the pause turns out to be the end; one that was not the end is
    forgotten. Nothing is shown that the pace of partials does not ask for."""
    scribe = Scribe()
    speaker = Speaker(scribe, scheduler, interim=interim)
    decoding = speaker.start()
    for _ in range(2):
        await speaker.say(tenths(2))
        await speaker.pause()
    assert scribe.calls == ["feed 2", "finish", "feed 4", "finish"]
    assert speaker.decoding.final_seconds == 0 < speaker.decoding.partial_seconds
    speaker.utterance.close(0.4)
    assert (await decoding).text == "4"
    assert len(scribe.calls) == 4
    assert speaker.decoding.final_seconds > 0
    assert speaker.shown == []


async def test_what_runs_since_the_pause_is_waited_for(scheduler: Scheduler) -> None:
    """To decode the same again would only take longer."""
    scribe = Scribe()
    scribe.passing.clear()
    speaker = Speaker(scribe, scheduler)
    decoding = speaker.start()
    speaker.utterance.add(tenths(2))
    speaker.utterance.pause()
    while "finish" not in scribe.calls:
        await asyncio.sleep(0)
    speaker.utterance.close(0.2)
    scribe.passing.set()
    assert (await decoding).text == "2"
    assert scribe.calls == ["feed 2", "finish"]


async def test_speech_after_a_pause_takes_its_decode_back(scheduler: Scheduler) -> None:
    """One that waits for a thread is never made; one that runs is nobody's."""
    scribe = Scribe()
    scribe.passing.clear()
    one, other = Speaker(scribe, scheduler), Speaker(scribe, scheduler)
    third = Speaker(scribe, scheduler)
    decoding = [speaker.start() for speaker in (one, other, third)]
    for speaker in (one, other, third):
        speaker.utterance.add(tenths(2))
        speaker.utterance.pause()
    while scribe.calls.count("finish") < 2:
        await asyncio.sleep(0)
    assert scheduler.waiting == 1
    for speaker in (one, other, third):
        speaker.utterance.add(tenths(1))
    while scheduler.waiting:
        await asyncio.sleep(0)
    for speaker in (one, other, third):
        speaker.utterance.close(0.3)
    scribe.passing.set()
    assert [(await said).text for said in decoding] == ["3", "3", "3"]
    assert scribe.calls.count("feed 2") == 2


async def test_the_text_at_a_pause_is_told_while_it_lasts(scheduler: Scheduler) -> None:
    """Not that of a pause which speech has ended meanwhile, nor that of the end."""
    scribe = Scribe()
    speaker = Speaker(scribe, scheduler)
    decoding = speaker.start()
    await speaker.say(tenths(2))
    await speaker.pause()
    assert speaker.paused == ["2"]
    scribe.passing.clear()
    speaker.utterance.add(tenths(1))
    speaker.utterance.pause()
    while scribe.calls.count("finish") < 2:
        await asyncio.sleep(0)
    speaker.utterance.add(tenths(2))
    speaker.utterance.close(0.5)
    scribe.passing.set()
    assert (await decoding).text == "5"
    assert speaker.paused == ["2"]


async def test_a_file_is_not_decoded_at_pauses(scheduler: Scheduler) -> None:
    """Nobody waits for its next word, so its pauses are worth nothing."""
    scribe = Scribe()
    speaker = Speaker(scribe, scheduler, live=False, interim=None)
    decoding = speaker.start()
    await speaker.say(tenths(5))
    await speaker.pause()
    speaker.utterance.close(0.5)
    assert (await decoding).text == "5"
    assert scribe.calls == ["feed 5", "finish"]
    assert speaker.decoding.partial_seconds == 0


async def test_a_slow_preview_is_followed_by_a_long_pause(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After one that took a second, the next waits for four of new speech."""
    scribe = Scribe()
    speaker = Speaker(scribe, scheduler)
    seconds = itertools.count()
    clock = SimpleNamespace(perf_counter=lambda: float(next(seconds)))
    monkeypatch.setattr("coqui_server.transcription.scheduler.time", clock)
    decoding = speaker.start()
    for _ in range(20):
        await speaker.say(tenths(5))
    speaker.utterance.close(10.0)
    await decoding
    assert speaker.shown == ["5", "45", "85"]


async def test_a_failing_preview_fails_the_utterance(scheduler: Scheduler) -> None:
    """What the engine raises comes out, though the preview was nobody's to wait for."""
    speaker = Speaker(Scribe(fails=True), scheduler)
    decoding = speaker.start()
    await speaker.say(tenths(5))
    speaker.utterance.close(0.5)
    with pytest.raises(RuntimeError, match="native trouble"):
        await decoding


async def test_a_preview_that_runs_at_the_end_is_dropped(scheduler: Scheduler) -> None:
    """The final does not wait for it, and it is never shown."""
    scribe = Scribe(held=1)
    scribe.passing.clear()
    speaker = Speaker(scribe, scheduler)
    decoding = speaker.start()
    speaker.utterance.add(tenths(5))
    while "finish" not in scribe.calls:
        await asyncio.sleep(0)
    speaker.utterance.close(0.5)
    assert (await decoding).text == "5"
    scribe.passing.set()
    await settled(scheduler)
    assert speaker.shown == []


async def test_an_utterance_that_ends_as_its_preview_does(scheduler: Scheduler) -> None:
    """The end may come while the partial is told: no other preview is made, and nothing spins."""
    scribe = Scribe()
    speaker = Speaker(scribe, scheduler)
    speaker.ends = True
    decoding = speaker.start()
    await speaker.say(tenths(5))
    assert (await decoding).text == "5"
    assert scribe.calls == ["feed 5", "finish", "feed 5", "finish"]


async def test_a_cancelled_utterance_leaves_nothing_behind(scheduler: Scheduler) -> None:
    """A session that breaks off stops its previews as well."""
    before = asyncio.all_tasks()
    speaker = Speaker(Scribe(), scheduler)
    decoding = speaker.start()
    await speaker.say(tenths(3))
    decoding.cancel()
    await asyncio.gather(decoding, return_exceptions=True)
    assert asyncio.all_tasks() == before


async def test_real_partials_grow_into_the_final(
    moonshine: Engine, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On speech the last partial begins like the final, which is the same as without any."""
    # However busy the machine: without the pause that follows a slow preview.
    monkeypatch.setattr("coqui_server.transcription.decoding._PREVIEW_SHARE", 0)
    voice = clip("appointment.wav")
    speaker = Speaker(moonshine, scheduler, interim=0.1)
    decoding = speaker.start()
    for start in range(0, len(voice.pcm), 16_000):
        await speaker.say(voice.pcm[start : start + 16_000])
    speaker.utterance.close(len(voice.pcm) / SAMPLE_RATE)
    final = await decoding
    assert spoken(final.text) == spoken(voice.text)
    assert len(speaker.shown) >= 2
    assert spoken(speaker.shown[-1]).split()[:4] == spoken(final.text).split()[:4]
