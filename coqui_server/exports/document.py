"""The input of every export: a transcript with a title and a date."""

import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime

from coqui_transcript.transcript import Segment, Transcript, TranscriptWarning

INVISIBLE = "\u200c\u200d\u200e\u200f\ufe0e\ufe0f"
"""Part of how text is written: ZWNJ, ZWJ, LRM, RLM, and the two looks of what may be an emoji."""


@dataclass(frozen=True, slots=True)
class Document:
    """A transcript to be exported.

    Attributes:
        when: the session's start, with its time zone.
        duration: seconds of sound.
        warnings: why the text may miss something.
    """

    title: str
    when: datetime
    engine: str
    duration: float
    segments: tuple[Segment, ...]
    warnings: tuple[TranscriptWarning, ...] = ()

    @property
    def about(self) -> str:
        """The line under the title: date, duration and engine."""
        return f"{self.when:%Y-%m-%d %H:%M %Z} · {clock(self.duration)} · {self.engine}"

    @property
    def transcript(self) -> Transcript:
        """The transcript alone, without title and date."""
        return Transcript.of(self.segments, self.duration, self.warnings)

    def plain(self) -> "Document":
        """The same document without control characters in its texts."""
        segments = tuple(map(_plain_segment, self.segments))
        return replace(self, title=plain(self.title), segments=segments)


def _plain_segment(segment: Segment) -> Segment:
    speaker = plain(segment.speaker) if segment.speaker else None
    words = tuple(replace(word, text=plain(word.text)) for word in segment.words)
    alternatives = tuple(replace(other, text=plain(other.text)) for other in segment.alternatives)
    return replace(
        segment, text=plain(segment.text), speaker=speaker, words=words, alternatives=alternatives
    )


def plain(text: str) -> str:
    """The text on one line, in Unicode form C, without control characters, lone surrogates and
    direction overrides.

    XML cannot hold control characters and surrogates. An override would reverse the text after it.
    Form C, because fonts have whole letters and macOS writes file names in decomposed letters.
    """
    return unicodedata.normalize("NFC", " ".join("".join(map(_visible, text)).split()))


def _visible(letter: str) -> str:
    if letter.isprintable() or letter in INVISIBLE:
        return letter
    return " " if unicodedata.category(letter) in ("Cc", "Zl", "Zp", "Zs") else ""


def clock(seconds: float) -> str:
    """A time as people read it: 0:07, 12:07, 1:02:07."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
