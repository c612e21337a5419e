"""The interfaces every recogniser stands behind, and what passes through them.

An `Engine` runs here, on the scheduler's threads. A `RemoteEngine` is a service that transcribes
one utterance or chunk a request, a `StreamingService` one that listens to a whole session; both are
asyncio code.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from coqui_server.media.samples import Samples
from coqui_transcript.transcript import Alternative, Segment, Word


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
        longest: seconds of sound that one request may carry; None where there are no requests.
    """

    streaming: bool = False
    words: bool = False
    confidence: bool = False
    alternatives: bool = False
    phrases: bool = False
    languages: tuple[str, ...] = ()
    longest: float | None = None


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


class Described(Protocol):
    """What every engine tells of itself."""

    @property
    def name(self) -> str: ...

    @property
    def model(self) -> str: ...

    @property
    def capabilities(self) -> Capabilities: ...


class Engine(Described, Protocol):
    """A recognition back end, loaded once and shared by all threads."""

    def open(self, options: Options) -> Recognizer:
        """A recognizer for one utterance. Safe to call from any thread."""


@runtime_checkable
class RemoteEngine(Described, Protocol):
    """A service that is sent sound and answers with its text."""

    async def transcribe(self, pcm: Samples, options: Options) -> Hypothesis:
        """What is said in 16 kHz mono int16 samples, no more than `capabilities.longest` of them.

        Cancelling it breaks the request off; the service may bill it all the same.

        Raises:
            ServiceError: there is no text; an empty one is no error.
        """

    async def close(self) -> None:
        """Close the connections to the service. Nothing may be called after this."""


AnyEngine = Engine | RemoteEngine


@dataclass(frozen=True)
class StreamResult:
    """What a stream gives for a piece of the session's sound.

    Attributes:
        segment: its text and times, in seconds of the session; without text it only tells a pause.
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
            ServiceError: the service refused, or cannot be reached any more.
        """

    async def skip(self, samples: int) -> None:
        """Move the clock over silence that is not sent. Raises as `send`."""

    async def finish(self) -> None:
        """There is no more sound: wait until the service has answered all of it.

        What it answers has to be taken meanwhile; then the iteration ends, or raises what failed.
        """

    def __aiter__(self) -> AsyncIterator[StreamResult]:
        """The results, finals in the order of speech. Raises as `send`."""


@runtime_checkable
class StreamingService(RemoteEngine, Protocol):
    """A service that can listen to a session as it goes on, pauses and all."""

    def connect(self, options: Options) -> AbstractAsyncContextManager[Stream]:
        """A stream for one session. Leaving the block drops what was not finished."""
