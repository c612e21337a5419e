"""Coqui STT: streaming, with word times, a language model and hot words.

Without a model of your own it recognises spoken digits, with a model that comes with us.
"""

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import cycle
from math import exp
from pathlib import Path

from coqui_server.config.engines import CoquiSettings
from coqui_server.config.settings import Settings
from coqui_server.engines.base import Capabilities, Hypothesis, Options
from coqui_server.engines.libstt import Library, Model, Stream, Token, Transcript, survives
from coqui_server.engines.tflite import check_model
from coqui_server.exceptions import ConfigError, LibraryError
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.models import runtime
from coqui_transcript.transcript import Alternative, Word

DIGITS = Path(__file__).parent / "digits"
"""The model that comes with the daemon, and its scorer."""

_SUFFIXES = (".so", ".dylib", ".dll")
"""The endings of the library's files, on the systems that it is built for."""

_LETTER = 0.02
"""Seconds between two outputs of the model: the length of a word's last letter."""


def capabilities(settings: Settings) -> Capabilities:
    """What every model can do; the language of the digits is known."""
    return Capabilities(
        streaming=True,
        words=True,
        confidence=True,
        alternatives=True,
        languages=() if settings.coqui.model else ("en",),
    )


def check(settings: Settings) -> Iterator[ConfigError]:
    """What is missing, without loading anything."""
    for part in (library_files, _content):
        try:
            part(settings)
        except ConfigError as missing:
            yield missing


def load(settings: Settings) -> "Coqui":
    """The engine with the configured model, or with the one for digits.

    Raises:
        ConfigError: the library, the model or the scorer is missing or unusable.
    """
    files = library_files(settings)
    content = _content(settings)
    try:
        library = Library(files)
    except OSError as error:
        raise ConfigError("coqui", f"its library cannot be loaded: {error}") from error
    path, scorer = _path(settings), settings.coqui.scorer
    if scorer and not survives(files, path, scorer):
        raise ConfigError("coqui.scorer", f'found "{scorer}", which is broken: fetch it again')
    count = settings.server.threadpool.count
    models = [_model(library, path, content, settings.coqui) for _ in range(count)]
    return Coqui(path.stem, models, capabilities(settings))


def library_files(settings: Settings) -> list[Path]:
    """The library's files, each after those that it needs.

    They come from the package `stt` if it is installed, else from `coqui-runtime` in the folder of
    models, which has the same files.

    Raises:
        ConfigError: neither has them.
    """
    spec = find_spec("stt")
    packaged = [Path(place) for place in (spec and spec.submodule_search_locations) or ()]
    folders = [*packaged, settings.models.path / runtime.NAME / "stt"]
    for folder in folders:
        found = {path.stem: path for path in (folder / "lib").glob("*") if path.suffix in _SUFFIXES}
        if {"libkenlm", "libstt"} <= set(found):
            return [found["libkenlm"], found["libstt"]]
    install = f"python -m coqui_server.models install {runtime.NAME}"
    raise ConfigError("coqui", "its library is not installed", fix=install)


def _path(settings: Settings) -> Path:
    return settings.coqui.model or DIGITS / "digits.tflite"


def _content(settings: Settings) -> bytes:
    """The bytes of a model that the library can load without a crash."""
    path = _path(settings)
    try:
        content = path.read_bytes()
        check_model(content)
    except OSError as missing:
        problem = f'found "{path}", which cannot be read; leave it out for the model of digits'
        raise ConfigError("coqui.model", problem) from missing
    except ValueError as wrong:
        problem = f'found "{path}", which cannot be used: {wrong}; allowed: a .tflite file'
        raise ConfigError("coqui.model", problem) from wrong
    return content


def _model(library: Library, path: Path, content: bytes, settings: CoquiSettings) -> Model:
    try:
        model = Model(library, content)
    except LibraryError as error:
        raise ConfigError("coqui.model", f'"{path}" cannot be loaded: {error}') from error
    if model.sample_rate != SAMPLE_RATE:
        problem = f'"{path}" is for {model.sample_rate} Hz; allowed: a model for {SAMPLE_RATE} Hz'
        raise ConfigError("coqui.model", problem)
    if settings.beam_width:
        model.set_beam_width(settings.beam_width)
    _score(model, settings)
    return model


def _score(model: Model, settings: CoquiSettings) -> None:
    """Give the model its scorer, with the configured weights and hot words."""
    scorer = settings.scorer or (None if settings.model else DIGITS / "digits.scorer")
    if scorer:
        _asked("coqui.scorer", model.enable_scorer, scorer)
    if settings.alpha is not None and settings.beta is not None:
        _asked("coqui.alpha", model.weigh_scorer, settings.alpha, settings.beta)
    elif settings.alpha is not None or settings.beta is not None:
        raise ConfigError("coqui.alpha", "is set without coqui.beta, or the other way round")
    for word, boost in settings.hot_words.items():
        _asked("coqui.hot_words", model.add_hot_word, word, boost)


def _asked(key: str, function: Callable[..., None], *arguments: object) -> None:
    """Apply a setting; if the library refuses, the error names the setting."""
    try:
        function(*arguments)
    except LibraryError as error:
        raise ConfigError(key, f"found {arguments[0]}, which cannot be used: {error}") from error


class Coqui:
    """A Coqui STT model, opened once for each decoder thread, so that no thread waits for
    another."""

    name = "coqui"

    def __init__(self, model: str, models: list[Model], capabilities: Capabilities) -> None:
        self.model = model
        self.capabilities = capabilities
        self._models = cycle(models)

    def open(self, options: Options) -> "CoquiRecognizer":
        """A recognizer for one utterance."""
        return CoquiRecognizer(next(self._models).open(), options.alternatives)


class CoquiRecognizer:
    """One utterance. If it is dropped before its end, its native memory is freed."""

    def __init__(self, stream: Stream, alternatives: int) -> None:
        self._stream: Stream | None = stream
        self._alternatives = alternatives
        self._samples = 0

    def feed(self, pcm: Samples) -> None:
        self._checked().feed(pcm)
        self._samples += len(pcm)

    def partial(self) -> Hypothesis:
        return self._hypothesis(self._checked().intermediate(max(1, self._alternatives)))

    def finish(self) -> Hypothesis:
        stream, self._stream = self._checked(), None
        return self._hypothesis(stream.finish(max(1, self._alternatives)))

    def _checked(self) -> Stream:
        if self._stream is None:
            raise RuntimeError("this recognizer has finished")
        return self._stream

    def _hypothesis(self, readings: list[Transcript]) -> Hypothesis:
        best = readings[0]
        # Readings that differ only in a space at the end are the same.
        others = {reading.text: reading.confidence for reading in reversed(readings)}
        likelihood = min(1.0, exp(best.confidence / max(1, len(best.tokens))))
        return Hypothesis(
            best.text,
            words(best.tokens, self._samples / SAMPLE_RATE),
            likelihood,
            tuple(Alternative(text, score) for text, score in reversed(others.items()))
            if self._alternatives
            else (),
        )


def words(letters: tuple[Token, ...], duration: float) -> tuple[Word, ...]:
    """The words of an utterance that lasts `duration` seconds, from its letters.

    A word begins with its first letter and ends with its last. The model hears silence after the
    end, and may place a letter there; it is moved back.
    """
    found: list[list[Token]] = [[]]
    for letter in letters:
        if letter.text == " ":
            found.append([])
        else:
            found[-1].append(letter)
    return tuple(
        Word(
            "".join(letter.text for letter in word),
            min(word[0].start, duration),
            min(word[-1].start + _LETTER, duration),
        )
        for word in found
        if word
    )
