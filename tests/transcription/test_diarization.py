"""The speakers of sessions, with the real models on speech of two people."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from coqui_server.config.audio import Kind
from coqui_server.config.settings import Settings
from coqui_server.config.speakers import Speakers
from coqui_server.engines.base import Capabilities, Engine, Hypothesis, Options
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.speakers.model import SpeakerModel
from coqui_server.speakers.register import Register
from coqui_server.transcription.events import Final, SpeakersCorrected
from coqui_server.transcription.messages import message
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.session import Session
from coqui_transcript.transcript import Segment, Word
from tests.support.clips import clip
from tests.support.people import ANNA, BERT, CARL, conversation
from tests.transcription.test_session import Listener

CALL = conversation(
    (ANNA, "appointment.wav"),
    (BERT, "voicemail.wav"),
    (ANNA, "voicemail.wav"),
    (BERT, "appointment.wav"),
    pause=1.5,
)
ORDER = [1, 2, 2, 1, 1, 2]
"""Who says each utterance of it."""


class Clock:
    """An engine that hears a word in each half second."""

    name = model = "clock"
    capabilities = Capabilities(words=True)

    def __init__(self, *, streaming: bool = False) -> None:
        self.capabilities = replace(self.capabilities, streaming=streaming)

    def open(self, options: Options) -> "Clock":
        opened = Clock(streaming=self.capabilities.streaming)
        opened.length = 0
        return opened

    length = 0

    def feed(self, pcm: Samples) -> None:
        self.length += len(pcm)

    def partial(self) -> Hypothesis:
        return self.finish()

    def finish(self) -> Hypothesis:
        count = self.length // (SAMPLE_RATE // 2)
        words = tuple(Word(f"w{n}", n / 2, n / 2 + 0.5) for n in range(count))
        return Hypothesis(" ".join(word.text for word in words), words)


async def heard(
    scheduler: Scheduler,
    engine: Engine,
    model: SpeakerModel | None,
    pcm: Samples,
    kind: Kind = "file",
    speakers: Speakers = "auto",
) -> tuple[Listener, Sequence[Segment]]:
    """The events and the segments of a session."""
    sink = Listener()
    request = SessionRequest(kind, engine, speakers=speakers, voices=model, sinks=(sink,))
    async with Session(request, scheduler, Settings()) as session:
        for start in range(0, len(pcm), 4000):
            await session.write(pcm[start : start + 4000])
            await session.catch_up()
        transcript = await session.finish()
        assert session.final_seconds > 0
    return sink, transcript.segments


@pytest.mark.parametrize("speakers", ["auto", 2])
@pytest.mark.parametrize("kind", ["file", "live", "rtp"])
async def test_two_people(
    kind: Kind,
    speakers: Speakers,
    moonshine: Engine,
    voice_model: SpeakerModel,
    scheduler: Scheduler,
) -> None:
    """Each utterance has its speaker, from the first final on."""
    sink, segments = await heard(scheduler, moonshine, voice_model, CALL, kind, speakers)
    told = [final.segment.speaker for final in sink.of(Final)]
    assert told == [f"Speaker {number}" for number in ORDER]
    assert [segment.speaker for segment in segments] == told
    assert sink.of(SpeakersCorrected) == []


async def test_nobody_is_told_apart_unasked(moonshine: Engine, scheduler: Scheduler) -> None:
    """Segments then have no speaker."""
    _, segments = await heard(scheduler, moonshine, None, CALL)
    assert {segment.speaker for segment in segments} == {None}


@pytest.mark.parametrize("streaming", [False, True])
async def test_an_utterance_of_two(
    streaming: bool, voice_model: SpeakerModel, scheduler: Scheduler
) -> None:
    """It is cut at the turn, where there are word times, and no word is lost."""
    pcm = conversation((ANNA, "appointment.wav"), (BERT, "appointment.wav"), pause=0.0)
    engine = Clock(streaming=streaming)
    _, segments = await heard(scheduler, engine, voice_model, pcm)
    assert [segment.speaker for segment in segments] == ["Speaker 1", "Speaker 2"]
    first, second = segments
    assert abs(second.start - 4.6) < 0.6
    assert first.end <= second.start
    words = [word.text for segment in segments for word in segment.words]
    assert words == [f"w{number}" for number in range(len(words))]
    assert " ".join(segment.text for segment in segments) == " ".join(words)


async def test_a_file_is_corrected_at_its_end(
    voice_model: SpeakerModel, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was told wrongly before all was known, and only that."""
    monkeypatch.setattr(Register, "assign", lambda _, voices: [0] * len(voices))
    sink, segments = await heard(scheduler, Clock(), voice_model, CALL)
    assert {final.segment.speaker for final in sink.of(Final)} == {"Speaker 1"}
    assert [segment.speaker for segment in segments] == [f"Speaker {number}" for number in ORDER]
    (corrected,) = sink.of(SpeakersCorrected)
    assert list(corrected.segments) == [1, 2, 5]
    assert corrected.segments == {number: segments[number] for number in (1, 2, 5)}
    sent = message(corrected)
    assert sent["event"] == "speakers"
    assert sent["segments"][0] == {
        "segment": 1,
        "start": round(segments[1].start, 3),
        "speaker": "Speaker 2",
    }


async def test_live_sound_is_corrected_at_its_end(
    voice_model: SpeakerModel, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People keep the numbers by which they were known, as far as there are such."""
    told = iter([0, 0, 1, 0, 0, 1])
    monkeypatch.setattr(Register, "assign", lambda _, voices: [next(told) + 4] * len(voices))
    sink, segments = await heard(scheduler, Clock(), voice_model, CALL, "live")
    first = ["Speaker 5", "Speaker 5", "Speaker 6", "Speaker 5", "Speaker 5", "Speaker 6"]
    assert [final.segment.speaker for final in sink.of(Final)] == first
    right = [f"Speaker {number + 4}" for number in ORDER]
    assert [segment.speaker for segment in segments] == right
    (corrected,) = sink.of(SpeakersCorrected)
    assert list(corrected.segments) == [1]


async def test_a_session_longer_than_any_file(
    voice_model: SpeakerModel, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keeps what was told."""
    monkeypatch.setattr("coqui_server.transcription.diarization._KEPT", 0)
    monkeypatch.setattr(Register, "assign", lambda _, voices: [0] * len(voices))
    pcm = conversation((ANNA, "appointment.wav"), (BERT, "appointment.wav"), pause=1.5)
    sink, segments = await heard(scheduler, Clock(), voice_model, pcm, "live")
    assert {segment.speaker for segment in segments} == {"Speaker 1"}
    assert sink.of(SpeakersCorrected) == []


async def test_three_are_two_if_it_is_said(voice_model: SpeakerModel, scheduler: Scheduler) -> None:
    """A known number of people is kept to."""
    turns = [(person, "appointment.wav") for person in (ANNA, BERT, CARL)]
    pcm = conversation(*turns, pause=1.5)
    _, three = await heard(scheduler, Clock(), voice_model, pcm)
    assert [segment.speaker for segment in three] == ["Speaker 1", "Speaker 2", "Speaker 3"]
    _, two = await heard(scheduler, Clock(), voice_model, pcm, speakers=2)
    assert {segment.speaker for segment in two} == {"Speaker 1", "Speaker 2"}


async def test_silence_has_no_speakers(voice_model: SpeakerModel, scheduler: Scheduler) -> None:
    """And nothing fails."""
    _, segments = await heard(scheduler, Clock(), voice_model, clip("appointment.wav").pcm * 0)
    assert segments == ()
