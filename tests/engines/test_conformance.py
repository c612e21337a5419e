"""What every engine does alike. A new engine is one more name here."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from coqui_server.audio.level import Samples
from coqui_server.engines.base import DEFAULT_OPTIONS, Engine, Hypothesis, Recognizer
from tests.conftest import clip
from tests.engines.digits import said

SPEECH: dict[str, Callable[[], Samples]] = {
    "coqui": lambda: said("espeak", "unseen voices", 40)[0].pcm,
    "moonshine": lambda: clip("appointment.wav").pcm,
    "vosk": lambda: clip("korean.wav").pcm,
    "whisper": lambda: clip("appointment.wav").pcm,
}


@pytest.fixture(params=sorted(SPEECH))
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn, loaded once."""
    loaded: Engine = request.getfixturevalue(request.param)
    return loaded


@pytest.fixture
def speech(engine: Engine) -> Samples:
    """Speech in a language the engine knows."""
    return SPEECH[engine.name]()


def recognised(engine: Engine, pcm: Samples, block: int = 10**9) -> Hypothesis:
    """The final hypothesis of one utterance, fed in blocks."""
    recognizer = engine.open(DEFAULT_OPTIONS)
    for start in range(0, len(pcm), block):
        recognizer.feed(pcm[start : start + block])
    return recognizer.finish()


def test_silence_is_no_text(engine: Engine) -> None:
    """A second of nothing has no words."""
    assert recognised(engine, np.zeros(16_000, np.int16)).text == ""


@pytest.mark.parametrize("samples", [0, 1, 320])
def test_next_to_nothing_is_no_text(engine: Engine, samples: int) -> None:
    """20 ms and less have no words and are no error."""
    assert recognised(engine, np.full(samples, 1000, np.int16)).text == ""


def test_how_it_is_fed_does_not_matter(engine: Engine, speech: Samples) -> None:
    """The same utterance in blocks of any size is the same text."""
    whole = recognised(engine, speech)
    assert whole.text
    assert recognised(engine, speech, block=777) == whole


def test_two_recognizers_at_once(engine: Engine, speech: Samples) -> None:
    """Two threads with an utterance each get what one alone gets."""
    alone = recognised(engine, speech)
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: recognised(engine, speech), range(2)))
    assert both == [alone, alone]


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


def test_a_partial_precedes_the_final(engine: Engine, speech: Samples) -> None:
    """Before the end there is text already, and asking for it changes nothing."""
    recognizer = engine.open(DEFAULT_OPTIONS)
    early = len(speech) * 3 // 4
    recognizer.feed(speech[:early])
    assert recognizer.partial().text
    recognizer.feed(speech[early:])
    assert recognizer.finish().text == recognised(engine, speech).text


def test_capabilities_are_true(engine: Engine, speech: Samples) -> None:
    """Words and confidences come exactly from the engines that claim them."""
    heard = recognised(engine, speech)
    assert bool(heard.words) == engine.capabilities.words
    assert (heard.confidence is not None) == engine.capabilities.confidence
    assert 0 < (heard.confidence or 0) <= 1


def test_times_are_inside_and_in_order(engine: Engine, speech: Samples) -> None:
    """Word times lie in the utterance and do not go back."""
    times = [time for word in recognised(engine, speech).words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert all(0 <= time <= len(speech) / 16_000 for time in times)
