"""The two interfaces every recogniser stands behind, and what passes through them."""

from dataclasses import dataclass, field
from typing import Protocol

from coqui_server.audio.level import Samples


@dataclass(frozen=True)
class Word:
    """One word with its place in the sound, in seconds, and the engine's belief in it, 0 to 1."""

    text: str
    start: float
    end: float
    confidence: float | None = None


@dataclass(frozen=True)
class Alternative:
    """Another reading of the utterance. `confidence` is on the engine's own scale."""

    text: str
    confidence: float


@dataclass(frozen=True)
class Hypothesis:
    """What a recognizer believes was said. Word times count from the utterance's first sample."""

    text: str
    words: tuple[Word, ...] = ()
    confidence: float | None = None
    alternatives: tuple[Alternative, ...] = ()


@dataclass(frozen=True)
class Capabilities:
    """What an engine can do, so that callers ask instead of guessing.

    Attributes:
        streaming: decodes as it is fed; others decode all they were fed for each hypothesis.
        words: gives words with times.
        confidence: gives a confidence with the text or its words.
        alternatives: can give other readings.
        phrases: can be held to a list of phrases.
        languages: what it understands, as BCP 47 tags; empty when only its model knows.
    """

    streaming: bool = False
    words: bool = False
    confidence: bool = False
    alternatives: bool = False
    phrases: bool = False
    languages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Options:
    """What a session asks of its engine beyond the text. An engine that cannot, ignores it.

    Attributes:
        alternatives: how many other readings.
        phrases: what may be said; empty for anything.
        language: what is spoken, as a BCP 47 tag; None for what the configuration says.
    """

    alternatives: int = 0
    phrases: tuple[str, ...] = field(default=())
    language: str | None = None


def spoken(tag: str) -> str:
    """The language of a BCP 47 tag without its region or script: "en" of "en-GB"."""
    return tag.partition("-")[0].lower()


DEFAULT_OPTIONS = Options()


class Recognizer(Protocol):
    """One engine's state for one utterance. Used by one thread at a time, and blocking."""

    def feed(self, pcm: Samples) -> None:
        """Take the next 16 kHz mono int16 samples."""

    def partial(self) -> Hypothesis:
        """What is believed so far."""

    def finish(self) -> Hypothesis:
        """What is settled on. Nothing may be called after this."""


class Engine(Protocol):
    """A recognition back end, loaded once and shared by all threads."""

    @property
    def name(self) -> str: ...

    @property
    def model(self) -> str: ...

    @property
    def capabilities(self) -> Capabilities: ...

    def open(self, options: Options) -> Recognizer:
        """A recognizer for one utterance. Safe to call from any thread."""
