"""The one shape of a transcript, from a recogniser's result to a subtitle. No I/O.

All times are seconds from the start of the session's sound.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self


@dataclass(frozen=True, slots=True)
class Word:
    """One word and when it was said. `confidence` is 0 to 1, where the engine gives one."""

    text: str
    start: float
    end: float
    confidence: float | None = None


def shifted(words: tuple[Word, ...], seconds: float) -> tuple[Word, ...]:
    """The same words, so many seconds later."""
    return tuple(
        replace(word, start=word.start + seconds, end=word.end + seconds) for word in words
    )


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another reading of an utterance. `confidence` is on the engine's own scale."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Segment:
    """The final text of one utterance.

    Attributes:
        words: may be empty: not every engine gives word times.
        confidence: 0 to 1, where the engine gives one.
        alternatives: other readings, best first.
        speaker: the speaker's name, where it is known.
        channel: the number, from 1, of the channel of the file that it was heard on; None if the
            channels were heard together.
    """

    start: float
    end: float
    text: str
    words: tuple[Word, ...] = ()
    confidence: float | None = None
    alternatives: tuple[Alternative, ...] = ()
    speaker: str | None = None
    channel: int | None = None

    @property
    def line(self) -> str:
        """The text as people read it: after its speaker's name, if there is one."""
        return f"{self.speaker}: {self.text}" if self.speaker else self.text


@dataclass(frozen=True, slots=True)
class TranscriptWarning:
    """Why a transcript may not have all that was said.

    Attributes:
        code: one word for programs, such as `truncated`.
        message: for people.
    """

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said in one session.

    Attributes:
        text: all of it.
        duration: seconds of sound.
        segments: the utterances in the order of speech; empty where only the text is known.
        warnings: why something may be missing.
    """

    text: str
    duration: float
    segments: tuple[Segment, ...] = ()
    warnings: tuple[TranscriptWarning, ...] = ()

    @classmethod
    def of(
        cls,
        segments: Iterable[Segment],
        duration: float,
        warnings: Iterable[TranscriptWarning] = (),
    ) -> Self:
        """The transcript of these segments; its text is theirs, joined with spaces."""
        kept = tuple(segments)
        return cls(" ".join(segment.text for segment in kept), duration, kept, tuple(warnings))
