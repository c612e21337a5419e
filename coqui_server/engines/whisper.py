"""Whisper (some 100 languages, MIT), run by CTranslate2 through `faster-whisper`, an optional part.

Whisper decodes windows of 30 s and pads shorter sound, so that even a short utterance costs a whole
window. Longer sound takes several windows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import exp
from pathlib import Path
from typing import Any

import numpy as np

from coqui_server import extras, models
from coqui_server.config.settings import Settings
from coqui_server.engines.base import (
    DEFAULT_OPTIONS,
    Capabilities,
    Hypothesis,
    Options,
    base_language,
)
from coqui_server.engines.buffered import BufferedRecognizer
from coqui_server.exceptions import ConfigError
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_transcript.transcript import Word

_PARTS = ("config.json", "model.bin", "tokenizer.json")
"""Without its tokenizer the library would fetch one from the network."""

_REPETITIVE = 2.4
"""How many times smaller a text becomes by compression when the decoder repeats itself (Whisper's
own limit, for which it would decode again at random; that gives another text each time)."""


_PROMPT = 400
"""Characters of terms."""


def capabilities(settings: Settings) -> Capabilities:
    """What the configured model can do; of its languages only whether it is English alone."""
    english = settings.whisper.model.endswith(".en")
    languages = ("en",) if english else ()
    return Capabilities(
        words=True,
        confidence=True,
        terms=True,
        translates=not english,
        detects=not english,
        languages=languages,
    )


def check(settings: Settings) -> Iterator[ConfigError]:
    """What is missing, without loading anything."""
    yield from extras.missing("whisper")
    try:
        models.located("whisper.model", settings.whisper.model, settings, _PARTS)
    except ConfigError as missing:
        yield missing


def load(settings: Settings) -> "Whisper":
    """The engine with the configured model, which must be there: nothing is downloaded.

    Raises:
        ConfigError: the package or the model is missing, or does not work here.
    """
    for missing in extras.missing("whisper"):
        raise missing
    folder = models.located("whisper.model", settings.whisper.model, settings, _PARTS)
    try:
        engine = Whisper(folder, settings)
    # tokenizers reports a bad file with a plain Exception, CTranslate2 a bad model or device with
    # RuntimeError or ValueError.
    except Exception as error:
        raise ConfigError("whisper", f'"{folder}" cannot be loaded: {error}') from error
    language, known = settings.whisper.language, engine.capabilities.languages
    if language is not None and language not in known:
        raise ConfigError("whisper.language", f'found "{language}", allowed: {", ".join(known)}')
    return engine


class Whisper:
    """A Whisper model. It decodes as many utterances at once as there are decoder threads, on a CPU
    each on one core: one model with two workers was 1.8 times as fast as with one on two cores."""

    name = "whisper"

    def __init__(self, folder: Path, settings: Settings) -> None:
        from faster_whisper import WhisperModel

        whisper = settings.whisper
        self.model = folder.name
        self._settings = whisper
        self._native = WhisperModel(
            str(folder),
            whisper.device,
            compute_type=whisper.compute,
            cpu_threads=1,
            num_workers=settings.server.threadpool.count,
            local_files_only=True,
        )
        languages = tuple(self._native.supported_languages)
        several = len(languages) > 1
        self.capabilities = replace(
            capabilities(settings), languages=languages, translates=several, detects=several
        )
        # The libraries of a GPU are loaded only when something is decoded.
        self.decode(np.zeros(SAMPLE_RATE, np.int16), DEFAULT_OPTIONS)

    def open(self, options: Options) -> BufferedRecognizer:
        """A recognizer for one utterance, in the language asked for, configured, or detected."""
        return BufferedRecognizer(lambda pcm: self._favouring(pcm, options))

    def detect(self, pcm: Samples) -> tuple[str, float]:
        """The language of the first 30 s, and its probability."""
        language, probability, _ = self._native.detect_language(_floats(pcm))
        return language, float(probability)

    def _favouring(self, pcm: Samples, options: Options) -> Hypothesis:
        """The text with terms in the prompt if it has one of them, else the text without a prompt.

        Words of the prompt that are not said make other words worse.
        """
        if terms := options.favoured:
            said = self.decode(pcm, options, terms)
            if any(term in said.text for term in terms):
                return said
        return self.decode(pcm, options)

    def decode(self, pcm: Samples, options: Options, terms: Sequence[str] = ()) -> Hypothesis:
        """The text of one utterance, with its words' times and its tokens' mean probability.

        Args:
            terms: to be favoured; as many of the first as Whisper's prompt has room for.
        """
        asked = base_language(options.language or "")
        segments, _ = self._native.transcribe(
            _floats(pcm),
            language=asked if asked in self.capabilities.languages else self._settings.language,
            task="translate" if options.translate else "transcribe",
            initial_prompt=options.prompt,
            beam_size=self._settings.beam,
            temperature=0.0,
            condition_on_previous_text=False,
            word_timestamps=True,
            hotwords=_prompt(terms),
        )
        heard = [segment for segment in segments if segment.compression_ratio < _REPETITIVE]
        if not heard:
            return Hypothesis("", confidence=0.0)
        return Hypothesis(
            "".join(segment.text for segment in heard).strip(),
            tuple(_placed(heard, len(pcm) / SAMPLE_RATE)),
            exp(sum(segment.avg_logprob for segment in heard) / len(heard)),
        )


def _floats(pcm: Samples) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return pcm.astype(np.float32) / np.float32(32768)


def _prompt(terms: Sequence[str]) -> str | None:
    """The terms as Whisper's prompt has them; None if there are none."""
    prompt = ""
    for term in terms:
        longer = f"{prompt}, {term}" if prompt else term
        if len(longer) > _PROMPT:
            break
        prompt = longer
    return prompt or None


def _placed(segments: list[Any], end: float) -> Iterator[Word]:
    """The words, each after the one before and none after the end of the sound, which the model
    does not know: it hears 30 s."""
    last = 0.0
    for word in (word for segment in segments for word in segment.words):
        start = min(max(last, float(word.start)), end)
        last = min(max(start, float(word.end)), end)
        yield Word(word.word.strip(), start, last, float(word.probability))
