"""What every engine does alike. A new engine is one more line in `SPEECH`.

A service is stood in for by a server on the loopback that speaks its protocol, and says what
Moonshine hears in what it is sent.
"""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Protocol, cast, get_args

import jiwer
import numpy as np
import psutil
import pytest

from coqui_server.config.engines import EngineName
from coqui_server.config.settings import Settings
from coqui_server.engines.base import (
    DEFAULT_OPTIONS,
    AnyEngine,
    Engine,
    Hypothesis,
    Recognizer,
    RemoteEngine,
)
from coqui_server.media.samples import Samples
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.timing import timing
from coqui_server.word_times.aligner import Aligner
from tests.engines.digits import said
from tests.engines.replies import replies
from tests.support.clips import clip
from tests.support.remote_engines import CLASSES, Make
from tests.support.remote_service import Service

pytestmark = pytest.mark.model


class Speech(Protocol):
    """Something said, and how it sounds."""

    @property
    def pcm(self) -> Samples: ...


def english() -> Sequence[Speech]:
    return [clip("appointment.wav"), clip("voicemail.wav")]


SPEECH: dict[EngineName, Callable[[], Sequence[Speech]]] = {
    "coqui": lambda: said("espeak", "unseen voices", 40)[:12],
    "moonshine": english,
    "vosk": lambda: [clip("korean.wav")],
    "whisper": english,
    "openai": english,
    "deepgram": english,
    "scribe": english,
    "eboo": english,
    "vira": english,
}
"""What each of them understands."""


@dataclass(frozen=True)
class Subject:
    """An engine, what it understands, and the way to have an utterance heard by it."""

    engine: AnyEngine
    speech: Sequence[Samples]
    hear: Callable[[Samples], Awaitable[Hypothesis]]


@pytest.fixture
def subject(
    name: EngineName, request: pytest.FixtureRequest, make: Make, service: Service
) -> Subject:
    """The engine, loaded once if it runs here, or made for a stand-in of its service."""
    speech = [each.pcm for each in SPEECH[name]()]
    if name not in CLASSES:
        engine: Engine = request.getfixturevalue(name)
        return Subject(engine, speech, lambda pcm: asyncio.to_thread(recognised, engine, pcm))
    remote = make(name, requests=1)
    hearer = request.getfixturevalue("hearer")
    return Subject(remote, speech, partial(served, remote, service, hearer))


@pytest.fixture(scope="session")
def hearer(moonshine: Engine) -> Callable[[bytes], str]:
    """What Moonshine hears in a sound, once for all services."""
    return cache(lambda sound: recognised(moonshine, np.frombuffer(sound, np.int16)).text)


@pytest.fixture
def name(request: pytest.FixtureRequest) -> EngineName:
    chosen: EngineName = request.param
    return chosen


every_engine = pytest.mark.parametrize("name", get_args(EngineName), indirect=True)
every_recognizer = pytest.mark.parametrize(
    "engine", sorted(set(SPEECH) - set(CLASSES)), indirect=True
)


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> Engine:
    """An engine that runs here, loaded once."""
    loaded: Engine = request.getfixturevalue(request.param)
    return loaded


def recognised(engine: Engine, pcm: Samples) -> Hypothesis:
    """The final hypothesis of one utterance, fed at once."""
    recognizer = engine.open(DEFAULT_OPTIONS)
    recognizer.feed(pcm)
    return recognizer.finish()


async def served(
    remote: RemoteEngine, service: Service, hearer: Callable[[bytes], str], pcm: Samples
) -> Hypothesis:
    """What the service says, which was sent exactly this sound."""
    text = hearer(pcm.tobytes())
    service.replies += replies(remote.name, text, len(pcm) / 16_000)
    heard = await remote.transcribe(pcm, DEFAULT_OPTIONS)
    assert any(pcm.tobytes() in request.body for request in service.requests)
    return heard


def first(engine: Engine) -> Samples:
    """Something the engine understands."""
    return SPEECH[cast(EngineName, engine.name)]()[0].pcm


@every_engine
async def test_silence_is_no_text(subject: Subject) -> None:
    """A second of nothing has no words."""
    assert (await subject.hear(np.zeros(16_000, np.int16))).text == ""


@every_engine
@pytest.mark.parametrize("samples", [0, 1, 320])
async def test_next_to_nothing_is_no_text(subject: Subject, samples: int) -> None:
    """20 ms and less have no words and are no error."""
    assert (await subject.hear(np.full(samples, 1000, np.int16))).text == ""


@every_engine
async def test_the_longest_utterance(subject: Subject) -> None:
    """20 s, as long as the gate lets one become: all that is said, not the beginning alone."""
    once = np.concatenate(subject.speech)
    whole = np.concatenate([once] * (1 + 20 * 16_000 // len(once)))
    parts = [(await subject.hear(part)).text for part in (once, whole[: 20 * 16_000])]
    times = 20 * 16_000 / len(once)
    said, heard = len(parts[0].split()) * times, len(parts[1].split())
    assert heard == pytest.approx(said, rel=0.15)
    assert jiwer.wer(" ".join([parts[0]] * (int(times) + 1)), parts[1]) < 0.5


@every_engine
async def test_two_at_once(subject: Subject) -> None:
    """Two utterances side by side are heard alike."""
    one, other = await asyncio.gather(*(subject.hear(subject.speech[0]) for _ in range(2)))
    assert one == other
    assert one.text


@every_engine
async def test_capabilities_are_true(subject: Subject, aligner: Aligner) -> None:
    """Words and confidences come exactly from the engines that claim them, words where they are
    in the sound and none before the one it follows. Some words are aligned afterwards."""
    settings, request = Settings(), SessionRequest("file")
    heard = await subject.hear(subject.speech[0])
    heard = timing(request, subject.engine, settings, aligner).timed(heard, subject.speech[0])
    claimed = subject.engine.capabilities
    assert bool(heard.words) == claimed.words
    assert (heard.confidence is not None) == claimed.confidence
    times = [time for word in heard.words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert all(0 <= time <= len(subject.speech[0]) / 16_000 for time in times)


@every_recognizer
def test_how_it_is_fed_does_not_matter(engine: Engine) -> None:
    """The same utterance in blocks of any size is the same text, and asking for a partial, which
    is there before the end, changes nothing."""
    speech = first(engine)
    whole = recognised(engine, speech)
    assert whole.text
    recognizer = engine.open(DEFAULT_OPTIONS)
    for start in range(0, len(speech), 777):
        if start == 777 * (len(speech) * 3 // 4 // 777):
            assert recognizer.partial().text
        recognizer.feed(speech[start : start + 777])
    assert recognizer.finish() == whole


@every_recognizer
@pytest.mark.parametrize(
    "call",
    [
        lambda recognizer: recognizer.finish(),
        lambda recognizer: recognizer.partial(),
        lambda recognizer: recognizer.feed(np.zeros(8000, np.int16)),
    ],
    ids=["finish", "partial", "feed"],
)
def test_nothing_may_follow_the_end(engine: Engine, call: Callable[[Recognizer], object]) -> None:
    """A recognizer that has finished says so when it is used again."""
    recognizer = engine.open(DEFAULT_OPTIONS)
    recognizer.finish()
    with pytest.raises(RuntimeError, match="has finished"):
        call(recognizer)


@every_recognizer
def test_what_is_broken_off_leaves_nothing(engine: Engine) -> None:
    """The native memory of utterances that were not finished is given back."""

    def break_off(count: int) -> int:
        for _ in range(count):
            engine.open(DEFAULT_OPTIONS).feed(first(engine)[:1600])
        gc.collect()
        return psutil.Process().memory_info().rss

    before = break_off(5)
    assert break_off(25) - before < 2**20
