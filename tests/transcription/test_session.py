"""The core, with a real engine on real speech: order, partials, failure, limits."""

import asyncio
import threading
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, TypeVar

import numpy as np
import pytest

from coqui_server.config.audio import VadSettings
from coqui_server.config.settings import Settings
from coqui_server.config.text import TextSettings
from coqui_server.engines.base import Capabilities, Engine, Hypothesis, Options
from coqui_server.exceptions import EngineError, ServerFault, SessionClosed
from coqui_server.media.samples import Samples
from coqui_server.transcription.events import (
    Event,
    Final,
    Partial,
    SessionEnded,
    SessionStarted,
    UtteranceEnd,
)
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.session import Session
from coqui_server.word_times.aligner import Aligner
from coqui_transcript.transcript import Word
from tests.support.clips import clip, spoken

TWO_SENTENCES = "voicemail.wav"
Kind = TypeVar("Kind", bound=Event)
SILENCE = np.zeros(16_000, np.int16)


@dataclass
class Listener:
    """A sink that keeps all events."""

    events: list[Event] = field(default_factory=list)

    async def __call__(self, event: Event) -> None:
        self.events.append(event)

    def of(self, kind: type[Kind]) -> list[Kind]:
        return [event for event in self.events if isinstance(event, kind)]


async def settled(scheduler: Scheduler) -> None:
    """Wait until every job that what was written made worth while is done."""
    for _ in range(10):
        await asyncio.sleep(0)
        while scheduler.running or scheduler.waiting:
            # Not 0: a loop that never rests takes the interpreter from the thread it waits for.
            await asyncio.sleep(0.002)


async def test_finals_come_once_and_in_order(moonshine: Engine, scheduler: Scheduler) -> None:
    """Utterances decoded side by side are announced in the order of speech, between start and
    end."""
    two = clip(TWO_SENTENCES)
    heard = Listener()
    async with Session(
        SessionRequest("file", moonshine, sinks=(heard,)), scheduler, Settings()
    ) as session:
        for _ in range(3):
            await session.write(two.pcm)
            await session.write(SILENCE)
        transcript = await session.finish()
    assert spoken(transcript.text) == spoken(" ".join([two.text] * 3))
    finals = [final.segment for final in heard.of(Final)]
    assert tuple(finals) == transcript.segments
    assert len(finals) == 6
    assert all(a.end <= b.start for a, b in pairwise(finals))
    assert isinstance(heard.events[0], SessionStarted)
    assert heard.events[-1] == SessionEnded(
        session.source, transcript.duration, statistics=session.statistics
    )
    assert transcript.duration == 3 * (len(two.pcm) / 16_000 + 1)


@pytest.mark.parametrize("kind", ["file", "live"])
async def test_words_of_finals_have_times(
    moonshine: Engine, scheduler: Scheduler, aligner: Aligner, kind: Literal["file", "live"]
) -> None:
    """On the clock of the session, each within its utterance; there are none for partials."""
    two, heard = clip(TWO_SENTENCES), Listener()
    request = SessionRequest(kind, moonshine, interim=0.5, sinks=(heard,))
    async with Session(request, scheduler, Settings(), aligner=aligner) as session:
        await session.write(SILENCE)
        await session.write(two.pcm)
        transcript = await session.finish()
    assert len(transcript.segments) == 2
    for segment in transcript.segments:
        assert [word.text for word in segment.words] == segment.text.split()
        assert segment.words[0].start >= segment.start >= 0.5
        assert segment.words[-1].end <= segment.end
        assert all(a.end <= b.start for a, b in pairwise(segment.words))


async def test_word_times_can_be_switched_off(
    moonshine: Engine, scheduler: Scheduler, aligner: Aligner
) -> None:
    """Then the words of an engine that gives no times have none."""
    settings = Settings(text=TextSettings(word_times=False))
    request = SessionRequest("file", moonshine)
    async with Session(request, scheduler, settings, aligner=aligner) as session:
        await session.write(clip(TWO_SENTENCES).pcm)
        transcript = await session.finish()
    assert transcript.text
    assert not any(segment.words for segment in transcript.segments)


async def test_utterances_that_are_not_reported(scheduler: Scheduler) -> None:
    """Where each begins and ends is known before its text is; the end of the last is open."""
    engine = Obstacle()
    async with Session(SessionRequest("live", engine), scheduler, Settings()) as session:
        await session.write(clip(TWO_SENTENCES).pcm)
        (first, last), (begun, ended) = session.utterances
        assert last is not None
        assert first < last <= begun
        assert ended is None
        engine.passing.set()
        await session.settle()
        assert not session.utterances
        await session.finish()


async def test_an_utterance_end_follows_each_final(moonshine: Engine, scheduler: Scheduler) -> None:
    """Final, end, final, end."""
    heard = Listener()
    async with Session(
        SessionRequest("file", moonshine, sinks=(heard,)), scheduler, Settings()
    ) as session:
        await session.write(clip(TWO_SENTENCES).pcm)
        await session.finish()
    kinds = [type(event) for event in heard.events]
    assert kinds == [SessionStarted, Final, UtteranceEnd, Final, UtteranceEnd, SessionEnded]


async def test_partials_grow_while_speaking(
    moonshine: Engine, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A live session shows what was said so far, never twice the same, then the final."""
    # However busy the machine: without the pause that follows a slow preview.
    monkeypatch.setattr("coqui_server.transcription.decoding._PREVIEW_SHARE", 0)
    voice = clip("appointment.wav")
    heard = Listener()
    async with Session(
        SessionRequest("live", moonshine, interim=0.5, sinks=(heard,)), scheduler, Settings()
    ) as session:
        for start in range(0, len(voice.pcm), 8000):
            await session.write(voice.pcm[start : start + 8000])
            await settled(scheduler)
        await session.finish()
    partials = [partial.text for partial in heard.of(Partial)]
    assert len(partials) >= 3
    assert all(a != b for a, b in pairwise(partials))
    first = spoken(partials[0]).split()
    assert spoken(voice.text).split()[:2] == first[:2]
    assert spoken(" ".join(final.segment.text for final in heard.of(Final))) == spoken(voice.text)
    assert heard.events.index(heard.of(Partial)[0]) < heard.events.index(heard.of(Final)[0])


@pytest.mark.parametrize(("silence", "finals"), [({}, 2), ({"live": "500 ms"}, 1)])
async def test_a_finished_sentence_ends_the_utterance(
    moonshine: Engine,
    scheduler: Scheduler,
    monkeypatch: pytest.MonkeyPatch,
    silence: dict[str, str],
    finals: int,
) -> None:
    """The pause after "Monday morning" is short; a fixed silence does not end there."""
    # Far from what any processor computes for the two sentences.
    monkeypatch.setattr("coqui_server.speech.endpointing._SURE", 0.5)
    settings = Settings(vad=VadSettings.model_validate({"silence": silence}))
    voice = clip("appointment.wav")
    heard = Listener()
    request = SessionRequest("live", moonshine, sinks=(heard,))
    async with Session(request, scheduler, settings) as session:
        for start in range(0, len(voice.pcm), 1600):
            await session.write(voice.pcm[start : start + 1600])
            await settled(scheduler)
        await session.finish()
    texts = [final.segment.text for final in heard.of(Final)]
    assert len(texts) == finals
    assert spoken(" ".join(texts)) == spoken(voice.text)


async def test_silence_has_no_words(moonshine: Engine, scheduler: Scheduler) -> None:
    """Ten minutes of digital silence are an empty text, and nothing is decoded."""
    heard = Listener()
    async with Session(
        SessionRequest("file", moonshine, sinks=(heard,)), scheduler, Settings()
    ) as session:
        for _ in range(600):
            await session.write(SILENCE)
        transcript = await session.finish()
    assert (transcript.text, transcript.duration, session.decoding_seconds) == ("", 600.0, 0.0)
    assert [type(event) for event in heard.events] == [SessionStarted, SessionEnded]


async def test_writing_after_the_end_is_refused(moonshine: Engine, scheduler: Scheduler) -> None:
    """A finished session takes no more sound."""
    async with Session(SessionRequest("live", moonshine), scheduler, Settings()) as session:
        await session.finish()
        with pytest.raises(SessionClosed):
            await session.write(SILENCE)


async def test_leaving_early_ends_the_session(moonshine: Engine, scheduler: Scheduler) -> None:
    """A source that breaks off leaves no task behind and an end event with the reason."""
    heard = Listener()
    before = asyncio.all_tasks()
    with pytest.raises(ConnectionError):
        async with Session(
            SessionRequest("file", moonshine, sinks=(heard,)), scheduler, Settings()
        ) as session:
            await session.write(clip(TWO_SENTENCES).pcm)
            raise ConnectionError("the line broke")
    assert heard.of(SessionEnded)[0].error == "the line broke"
    assert asyncio.all_tasks() == before


@dataclass
class Obstacle:
    """An engine that can be held up and made to fail: what no real one does on demand."""

    name: str = "obstacle"
    model: str = "none"
    capabilities: Capabilities = field(default_factory=Capabilities)
    fails: bool = False
    text: str = "word"
    passing: threading.Event = field(default_factory=threading.Event)
    opened: int = 0

    def open(self, options: Options) -> "Obstacle":
        self.opened += 1
        return self

    def feed(self, pcm: Samples) -> None:
        assert self.passing.wait(10)

    def partial(self) -> Hypothesis:
        return Hypothesis("")

    def finish(self) -> Hypothesis:
        if self.fails:
            raise RuntimeError("native trouble")
        return Hypothesis(self.text, (Word(self.text, 0.0, 0.1),))


async def test_an_engine_failure_ends_its_session_alone(
    moonshine: Engine, scheduler: Scheduler, caplog: pytest.LogCaptureFixture
) -> None:
    """The caller gets an error, the log has the reason with the session's id, others go on."""
    broken = Obstacle(fails=True)
    broken.passing.set()
    two = clip(TWO_SENTENCES)
    with pytest.raises(EngineError, match="obstacle failed"):
        async with Session(SessionRequest("file", broken), scheduler, Settings()) as failing:
            await failing.write(two.pcm)
            await failing.finish()
    async with Session(SessionRequest("file", moonshine), scheduler, Settings()) as session:
        await session.write(two.pcm)
        assert spoken((await session.finish()).text) == spoken(two.text)
    assert any(failing.id in line and "failed" in line for line in caplog.text.splitlines())
    assert "native trouble" in caplog.text


async def test_a_failing_sink_ends_its_session_alone(
    moonshine: Engine, scheduler: Scheduler, caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be passed on is an error for the caller, never a lost word."""

    async def full(event: Event) -> None:
        if isinstance(event, Final):
            raise OSError("disk full")

    voice = clip("appointment.wav")
    with pytest.raises(ServerFault, match="could not be passed on"):
        async with Session(
            SessionRequest("file", moonshine, sinks=(full,)), scheduler, Settings()
        ) as failing:
            await failing.write(voice.pcm)
            await failing.finish()
    assert failing.id in caplog.text
    assert "disk full" in caplog.text


async def test_a_fast_source_is_slowed_down(scheduler: Scheduler) -> None:
    """However long the file, only a few utterances are in flight; the writer waits."""
    slow = Obstacle()
    voice = np.concatenate((clip("appointment.wav").pcm, SILENCE))

    async def write_an_hour() -> None:
        async with Session(SessionRequest("live", slow), scheduler, Settings()) as session:
            sessions.append(session)
            while True:
                await session.write(voice)

    sessions: list[Session] = []
    writing = asyncio.create_task(write_an_hour())
    for _ in range(1000):
        await asyncio.sleep(0)
    written = sessions[0].duration
    for _ in range(100):
        await asyncio.sleep(0)
    assert sessions[0].duration == written < 20 * len(voice) / 16_000
    slow.passing.set()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing


async def test_what_is_said_is_not_logged(
    moonshine: Engine, scheduler: Scheduler, caplog: pytest.LogCaptureFixture
) -> None:
    """At INFO the log has counts and times, and no word that was spoken."""
    caplog.set_level("INFO")
    voice = clip("appointment.wav")
    async with Session(SessionRequest("file", moonshine), scheduler, Settings()) as session:
        await session.write(voice.pcm)
        transcript = await session.finish()
    assert f"{len(transcript.text.split())} words" in caplog.text
    assert transcript.text not in caplog.text


async def test_a_text_has_no_half_characters(scheduler: Scheduler) -> None:
    """An engine that writes byte by byte may end in the middle of one; no event has it."""
    half = "سلام\ud800 world\ufffd"
    engine = Obstacle(text=half)
    engine.passing.set()
    heard = Listener()
    async with Session(
        SessionRequest("live", engine, interim=0.1, sinks=(heard,)), scheduler, Settings()
    ) as session:
        await session.write(clip("appointment.wav").pcm)
        await session.catch_up()
        transcript = await session.finish()
    assert transcript.text == "سلام world"
    texts = [event.text for event in heard.of(Partial)]
    texts += [event.segment.text for event in heard.of(Final)]
    assert set(texts) == {"سلام world"}
    assert {word.text for event in heard.of(Final) for word in event.segment.words} == {
        "سلام world"
    }
