"""An engine whose texts are believed only if there is speech enough for them.

It stands before every local engine, so files, live sound and calls are judged alike, and partials
as finals are. What a service answers is not judged: it has been paid for, and services listen for
speech themselves.
"""

import logging

from coqui_server import extras
from coqui_server.engines.base import (
    AnyEngine,
    Engine,
    Hypothesis,
    Options,
    Recognizer,
    RemoteEngine,
)
from coqui_server.exceptions import ConfigError
from coqui_server.media.samples import Samples
from coqui_server.speech.plausible import needed
from coqui_server.speech.voice import PACKAGE, VoiceMeter, VoiceModel, packaged_model

_KEY = "vad.speech_per_word"

_log = logging.getLogger(__name__)


def second_opinion(each: float) -> VoiceModel | None:
    """The voice model; None if `each`, seconds of speech for a word, is 0, or it is not installed.

    Raises:
        ConfigError: it cannot be loaded.
    """
    if not each:
        return None
    file = packaged_model()
    if file is None:
        _log.warning(
            "words are not checked against the speech in the sound (%s), because %s is not "
            "installed; run: %s",
            _KEY,
            PACKAGE,
            extras.command(PACKAGE),
        )
        return None
    try:
        return VoiceModel(file)
    # onnxruntime's exceptions have no common base but this.
    except Exception as error:
        raise ConfigError(_KEY, f'"{file}" cannot be loaded: {error}') from error


def doubting(engine: AnyEngine, voices: VoiceModel | None, each: float) -> AnyEngine:
    """The engine, if it is a local one, with a second opinion; `each` as in `plausible.needed`."""
    if voices is None or isinstance(engine, RemoteEngine):
        return engine
    return DoubtingEngine(engine, voices, each)


class DoubtingEngine:
    """A local engine with a second opinion. Its hypotheses have no text where that is not believed,
    and say how many words it had."""

    def __init__(self, engine: Engine, voices: VoiceModel, each: float) -> None:
        self.name = engine.name
        self.model = engine.model
        self.capabilities = engine.capabilities
        self._engine = engine
        self._voices = voices
        self._each = each

    def open(self, options: Options) -> "DoubtingRecognizer":
        """A recognizer for one utterance."""
        return DoubtingRecognizer(self._engine.open(options), VoiceMeter(self._voices), self._each)


class DoubtingRecognizer:
    """Keeps the samples that were not listened to yet, as `vad.max_utterance` bounds them."""

    def __init__(self, recognizer: Recognizer, meter: VoiceMeter, each: float) -> None:
        self._recognizer = recognizer
        self._meter = meter
        self._each = each

    def feed(self, pcm: Samples) -> None:
        self._recognizer.feed(pcm)
        self._meter.feed(pcm)

    def partial(self) -> Hypothesis:
        return self._judged(self._recognizer.partial())

    def finish(self) -> Hypothesis:
        return self._judged(self._recognizer.finish())

    def _judged(self, hypothesis: Hypothesis) -> Hypothesis:
        enough = needed(hypothesis.text, hypothesis.confidence, self._each)
        if self._meter.reaches(enough):
            return hypothesis
        return Hypothesis("", dropped=len(hypothesis.text.split()))
