"""The events of a session, which it gives to its sinks in order.

Times are seconds from the session's start by its sample clock.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from coqui_server.config.audio import Kind
from coqui_transcript.transcript import Segment, TranscriptWarning


@dataclass(frozen=True)
class Source:
    """Where the sound of an event comes from.

    Attributes:
        session: the session's id.
        call: the telephone call this is one side of; None for files and live sockets.
        label: its name for people, if it was given one.
        owner: the user it belongs to; None without accounts.
    """

    session: str
    kind: Kind
    call: str | None = None
    label: str | None = None
    owner: str | None = None


@dataclass(frozen=True)
class SessionStarted:
    """The first event of every session."""

    source: Source
    engine: str


@dataclass(frozen=True)
class Partial:
    """The text of the open utterance so far. Replaces the partial before it."""

    source: Source
    text: str
    start: float


@dataclass(frozen=True)
class Final:
    """The text of an utterance. Each comes once, in the order of speech, and never changes, but for
    its speaker (`SpeakersCorrected`)."""

    source: Source
    segment: Segment


@dataclass(frozen=True)
class SpeakersCorrected:
    """Whose the finals of a session are, now that all of it is known. All else of them stays.

    Attributes:
        segments: those whose speaker is another, by their number in the session, from 0.
    """

    source: Source
    segments: Mapping[int, Segment]


@dataclass(frozen=True)
class UtteranceEnd:
    """The speaker paused. Follows the utterance's final, if there was one."""

    source: Source
    end: float


@dataclass(frozen=True)
class Dtmf:
    """A telephone key was pressed: one of `0123456789*#ABCD`."""

    source: Source
    digit: str
    start: float


@dataclass(frozen=True)
class SessionEnded:
    """The last event of every session.

    Attributes:
        error: why, if it did not end well.
        statistics: what its transport counted, and the utterances and words that were dropped.
        warnings: why something may be missing from the transcript.
    """

    source: Source
    duration: float
    error: str | None = None
    statistics: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[TranscriptWarning, ...] = ()


Event = SessionStarted | Partial | Final | SpeakersCorrected | UtteranceEnd | Dtmf | SessionEnded

Sink = Callable[[Event], Awaitable[None]]
"""Takes one event. The next event waits until it has; so the store comes first."""
