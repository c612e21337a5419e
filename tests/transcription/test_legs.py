"""A file with several legs: one session, whose finals are in the order of speech."""

import numpy as np
import pytest

from coqui_server.config.settings import Settings
from coqui_server.engines.base import Engine
from coqui_server.exceptions import ServerFault
from coqui_server.media.samples import SAMPLE_RATE
from coqui_server.transcription.channels import Leg
from coqui_server.transcription.events import Event, Final, UtteranceEnd
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.session import Session
from tests.support.clips import clip, spoken

LEFT, RIGHT = Leg(1, "left"), Leg(2, "right")
VISIT, ANNA = clip("appointment.wav"), clip("voicemail.wav")
SECOND = np.zeros(SAMPLE_RATE, np.int16)


async def test_a_file_that_is_split_late(moonshine: Engine, scheduler: Scheduler) -> None:
    """What was heard together has no channel; the times go on, and every event is in order."""
    events: list[Event] = []

    async def tell(event: Event) -> None:
        events.append(event)

    request = SessionRequest("file", engine=moonshine, sinks=(tell,))
    async with Session(request, scheduler, Settings()) as session:
        await session.write(np.concatenate((VISIT.pcm, SECOND)))
        split = session.duration
        length = len(ANNA.pcm)
        visit = np.pad(VISIT.pcm, (SAMPLE_RATE, length - len(VISIT.pcm) - SAMPLE_RATE))
        await session.hear({LEFT: visit, RIGHT: ANNA.pcm})
        transcript = await session.finish()
    told = [
        (segment.channel, segment.speaker, spoken(segment.text)) for segment in transcript.segments
    ]
    hello, call_back = "hello this is anna from the dental office", "please call me back when you"
    assert told[:3] == [
        (None, None, spoken(VISIT.text)),
        (2, "right", hello),
        (1, "left", spoken(VISIT.text)),
    ]
    assert told[3][:2] == (2, "right")
    assert told[3][2].startswith(call_back)
    starts = [segment.start for segment in transcript.segments]
    assert starts == sorted(starts)
    assert starts[1] == pytest.approx(split + 0.2, abs=0.3)
    assert starts[2] == pytest.approx(split + 1.2, abs=0.3)
    assert session.duration == split + length / SAMPLE_RATE
    finals = [event.segment for event in events if isinstance(event, Final)]
    assert tuple(finals) == transcript.segments
    after = [type(event) for event in events if isinstance(event, Final | UtteranceEnd)]
    assert after == [Final, UtteranceEnd] * 4


async def test_a_sink_that_fails(moonshine: Engine, scheduler: Scheduler) -> None:
    """Ends the session at the first final of any leg, and no later one is told."""
    told: list[Event] = []

    async def fail(event: Event) -> None:
        if isinstance(event, Final):
            told.append(event)
            raise ServerFault("the disk is full")

    request = SessionRequest("file", engine=moonshine, sinks=(fail,))
    with pytest.raises(ServerFault, match="the disk is full"):
        async with Session(request, scheduler, Settings()) as session:
            await session.hear({LEFT: ANNA.pcm, RIGHT: ANNA.pcm})
            await session.finish()
    assert len(told) == 1
