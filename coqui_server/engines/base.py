"""The interfaces of all engines, and the types of what they take and give.

An `Engine` runs here, on the scheduler's threads. A `RemoteEngine` is a service that transcribes
one utterance or chunk a request, a `StreamingService` one that listens to a whole session; both are
asyncio code.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from coqui_server.media.samples import Samples
from coqui_transcript.transcript import Alternative, Segment, Word


@dataclass(frozen=True)
class Hypothesis:
    """A recognizer's result for an utterance. Word times count from its first sample.

    Attributes:
        finished: the probability of the mark (.?!) that ends the text, 0 where there is none; None
            for an engine that writes no marks, or does not say how sure it is of them.
        dropped: the number of words it had, where there was not enough speech to believe them.
        tokens: what the engine can begin with when it hears more of the same utterance
            (`Options.draft`).
    """

    text: str
    words: tuple[Word, ...] = ()
    confidence: float | None = None
    alternatives: tuple[Alternative, ...] = ()
    finished: float | None = None
    dropped: int = 0
    tokens: tuple[int, ...] = ()


@dataclass(frozen=True)
class Capabilities:
    """What an engine can do, so that callers ask instead of guessing.

    Attributes:
        streaming: decodes while it is fed; others decode everything again for each hypothesis.
        words: gives words with times, or a text that `word_times` aligns with the sound, which it
            does for English alone.
        confidence: gives a confidence with the text or its words.
        alternatives: can give other readings.
        phrases: can be held to a list of phrases.
        translates: can give English text for speech in other languages.
        detects: tells in what language something is said (`Detector`).
        terms: can favour names and terms.
        languages: as BCP 47 tags; empty when only the model knows.
        longest: seconds of sound in one request to a service; None for local engines.
    """

    streaming: bool = False
    words: bool = False
    confidence: bool = False
    alternatives: bool = False
    phrases: bool = False
    translates: bool = False
    detects: bool = False
    terms: bool = False
    languages: tuple[str, ...] = ()
    longest: float | None = None


_MOST_FAVOURED = 3000
"""Three full lists of terms: a request's, its owner's, the configured ones."""


@dataclass(frozen=True)
class Options:
    """A session's options for its engine. An engine ignores those that it does not have.

    Attributes:
        alternatives: the number of other readings.
        phrases: the only phrases to recognise; empty for any text. An engine that cannot be held to
            them favours them, if it can do that.
        terms: names and terms that are likelier than the engine knows, the most important first.
        language: of the speech, as a BCP 47 tag; None for the configured one.
        prompt: text that could stand before the speech, with the names and the style to expect.
        translate: give English text, whatever the language of the speech. Only for engines that
            translate.
        draft: the tokens of a hypothesis of less of the same utterance, most of which will be
            right. They save time, and are not believed.
    """

    alternatives: int = 0
    phrases: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    language: str | None = None
    prompt: str | None = None
    translate: bool = False
    draft: tuple[int, ...] = ()

    @property
    def favoured(self) -> tuple[str, ...]:
        """What an engine favours that cannot be held to phrases: at most 3000."""
        return (self.phrases + self.terms)[:_MOST_FAVOURED]


def base_language(tag: str) -> str:
    """The language of a BCP 47 tag without its region or script: "en" of "en-GB"."""
    return tag.partition("-")[0].lower()


DEFAULT_OPTIONS = Options()


class Recognizer(Protocol):
    """One engine's state for one utterance. Used by one thread at a time, and blocking."""

    def feed(self, pcm: Samples) -> None:
        """Take the next 16 kHz mono int16 samples."""

    def partial(self) -> Hypothesis:
        """The hypothesis so far."""

    def finish(self) -> Hypothesis:
        """The final hypothesis. Nothing may be called after this."""


class Described(Protocol):
    """The description of every engine."""

    @property
    def name(self) -> str: ...

    @property
    def model(self) -> str: ...

    @property
    def capabilities(self) -> Capabilities: ...


class Engine(Described, Protocol):
    """A local engine, loaded once and shared by all threads."""

    def open(self, options: Options) -> Recognizer:
        """A recognizer for one utterance. Safe to call from any thread."""


@runtime_checkable
class Detector(Engine, Protocol):
    """A local engine that can tell languages; its model perhaps cannot (`capabilities.detects`)."""

    def detect(self, pcm: Samples) -> tuple[str, float]:
        """The language of 16 kHz mono int16 speech, as a BCP 47 tag, and its probability. Safe to
        call from any thread, and blocking."""


@runtime_checkable
class RemoteEngine(Described, Protocol):
    """A service that takes sound and answers with its text."""

    async def transcribe(self, pcm: Samples, options: Options) -> Hypothesis:
        """The text of 16 kHz mono int16 samples, at most `capabilities.longest` seconds of them.

        Cancelling it aborts the request; the service may bill it all the same.

        Raises:
            ServiceError: there is no reply with a text. An empty text is not an error.
        """

    async def close(self) -> None:
        """Close the connections to the service. Nothing may be called after this."""


AnyEngine = Engine | RemoteEngine


@dataclass(frozen=True)
class StreamResult:
    """A stream's result for a piece of the session's sound.

    Attributes:
        segment: its text and times, in seconds of the session; without text it only reports a
            pause.
        final: the text will not change; otherwise the next result replaces it.
        pause: the speaker paused after it.
    """

    segment: Segment
    final: bool
    pause: bool = False


class Stream(Protocol):
    """One session's connection to a service that finds the utterances itself."""

    async def send(self, pcm: Samples) -> None:
        """Take the next 16 kHz mono int16 samples; wait while too many are unanswered.

        Raises:
            ServiceError: the service refused, or can no longer be reached.
        """

    async def skip(self, samples: int) -> None:
        """Move the clock over silence that is not sent. Raises as `send`."""

    async def finish(self) -> None:
        """There is no more sound: wait until the service has answered all of it.

        Its results must be read meanwhile. Then the iteration ends, or raises the failure.
        """

    def __aiter__(self) -> AsyncIterator[StreamResult]:
        """The results, finals in the order of speech. Raises as `send`."""


@runtime_checkable
class StreamingService(RemoteEngine, Protocol):
    """A service that takes a session's whole sound while it goes on."""

    def connect(self, options: Options) -> AbstractAsyncContextManager[Stream]:
        """A stream for one session. Leaving the block drops unfinished results."""
