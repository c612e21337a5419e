"""What a session says about itself, in order, to the sinks it was given.

Times are seconds from the session's start by its sample clock.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from coqui_server.engines.base import Alternative, Word
from coqui_server.settings import Kind


@dataclass(frozen=True)
class SessionStarted:
    """The first event of every session."""

    session: str
    kind: Kind
    engine: str


@dataclass(frozen=True)
class Partial:
    """What the open utterance seems to say so far. Replaces the partial before it."""

    session: str
    text: str
    start: float


@dataclass(frozen=True)
class Final:
    """What an utterance says. Each comes once, in the order of speech, and is never taken back.

    Word times count from the session's start.
    """

    session: str
    text: str
    start: float
    end: float
    words: tuple[Word, ...] = ()
    confidence: float | None = None
    alternatives: tuple[Alternative, ...] = ()


@dataclass(frozen=True)
class UtteranceEnd:
    """The speaker paused. Follows the utterance's final, if there was one."""

    session: str
    end: float


@dataclass(frozen=True)
class SessionEnded:
    """The last event of every session. `error` says why, if it did not end well."""

    session: str
    duration: float
    error: str | None = None


Event = SessionStarted | Partial | Final | UtteranceEnd | SessionEnded

Sink = Callable[[Event], Awaitable[None]]
"""Takes one event. The next event waits until it has; what must be kept first comes first."""
