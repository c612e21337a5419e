"""What is heard where nobody speaks: it is dropped, and counted."""

import logging

import numpy as np
import pytest

from coqui_server.config.audio import Kind
from coqui_server.config.settings import Settings
from coqui_server.engines.base import AnyEngine, Engine
from coqui_server.engines.doubt import doubting, second_opinion
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.transcription.events import Event, Final, Partial, SessionEnded
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.session import Session
from coqui_server.transcription.statistics import Statistics
from tests.support.clips import clip, spoken
from tools.sounds import LIVELY, at, silence

KINDS: list[Kind] = ["file", "live", "rtp"]
RINGING = at(-25, LIVELY["european ring-back"](10))


@pytest.fixture
def engine(moonshine: Engine) -> AnyEngine:
    """The default engine as the daemon has it."""
    return doubting(moonshine, second_opinion(0.1), 0.1)


async def told(
    engine: AnyEngine, scheduler: Scheduler, kind: Kind, pcm: Samples
) -> tuple[Session, list[Event]]:
    """A session of a sound that comes at a pace with which partials keep up, and its events."""
    events: list[Event] = []

    async def sink(event: Event) -> None:
        events.append(event)

    request = SessionRequest(kind, engine, format="verbatim", interim=0.5, sinks=(sink,))
    async with Session(request, scheduler, Settings()) as session:
        for place in range(0, len(pcm), SAMPLE_RATE // 2):
            await session.write(pcm[place : place + SAMPLE_RATE // 2])
            if session.request.live:
                await session.catch_up()
        await session.finish()
    return session, events


@pytest.mark.parametrize("kind", KINDS)
async def test_words_out_of_ringing_are_dropped_and_counted(
    engine: AnyEngine, scheduler: Scheduler, kind: Kind
) -> None:
    """There is no final and no partial; the end of the session says how much was dropped."""
    session, events = await told(engine, scheduler, kind, RINGING)
    assert not [event for event in events if isinstance(event, Final | Partial)]
    end = events[-1]
    assert isinstance(end, SessionEnded)
    assert end.statistics["dropped_utterances"] == end.statistics["dropped_words"] > 0
    statistics = Statistics()
    statistics.add(session)
    assert statistics.totals([])[kind].dropped == end.statistics["dropped_words"]
    assert statistics.totals([])[kind].words == 0


@pytest.mark.parametrize("kind", KINDS)
async def test_without_the_check_they_are_shown(
    moonshine: Engine, scheduler: Scheduler, kind: Kind
) -> None:
    """The engine as it is after `vad.speech_per_word = 0` tells what it hears, and nothing is
    counted."""
    session, _ = await told(moonshine, scheduler, kind, RINGING)
    assert session.segments
    assert session.statistics == {"dropped_utterances": 0, "dropped_words": 0}


@pytest.mark.parametrize("kind", KINDS)
async def test_who_answers_after_the_ringing_is_heard(
    engine: AnyEngine, scheduler: Scheduler, kind: Kind
) -> None:
    """Only the utterances without speech are dropped."""
    voice = clip("voicemail.wav")
    sound = np.concatenate((RINGING[: 7 * SAMPLE_RATE], silence(2), voice.pcm))
    session, events = await told(engine, scheduler, kind, sound)
    assert spoken(session.transcript.text) == spoken(voice.text)
    assert session.statistics["dropped_words"] > 0
    if session.request.live:
        assert [event for event in events if isinstance(event, Partial)]


async def test_what_is_dropped_is_logged_without_its_words(
    engine: AnyEngine, scheduler: Scheduler, caplog: pytest.LogCaptureFixture
) -> None:
    """The log at DEBUG has the place and the number of words."""
    with caplog.at_level(logging.DEBUG):
        session, _ = await told(engine, scheduler, "file", RINGING)
    lines = [record for record in caplog.records if "dropped" in record.getMessage()]
    assert len(lines) == session.statistics["dropped_utterances"]
    assert all(line.levelno == logging.DEBUG for line in lines)
    assert "you" not in caplog.text.lower()
