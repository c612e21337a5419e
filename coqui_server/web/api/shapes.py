"""The JSON of sessions, as the reference shows it."""

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from coqui_server.config.audio import Kind
from coqui_server.store.sessions import Page
from coqui_server.store.tables import SegmentRow, SessionRow, State


class _Shape(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Segment(_Shape):
    """What was said in one utterance; seconds from the session's start."""

    id: int
    start: float
    end: float
    text: str
    original: str | None = Field(description="the recogniser's text, where somebody edited it")
    confidence: float | None
    words: list[dict[str, Any]] = Field(description="word, start, end and perhaps confidence")

    @classmethod
    def of(cls, row: SegmentRow) -> Self:
        """As it is kept."""
        return cls.model_validate(row)


class Summary(_Shape):
    """A session in a list."""

    id: str
    kind: Kind
    engine: str
    owner: str | None
    call: str | None
    label: str | None
    start: datetime
    duration: float = Field(description="seconds of sound; 0 while it runs")
    state: State
    error: str | None
    words: int
    excerpt: str = Field(description="how the text begins")
    recording: int = Field(description="bytes of sound that are kept")


class Session(Summary):
    """A session with all that was said."""

    text: str
    statistics: dict[str, Any]
    segments: list[Segment]

    @classmethod
    def of(cls, row: SessionRow) -> Self:
        """As it is kept; one that still runs has the text of its segments so far."""
        session = cls.model_validate(row)
        said = " ".join(segment.text for segment in session.segments if segment.text)
        return session.model_copy(update={"text": said})


class Sessions(BaseModel):
    """Some of those that were found, newest first."""

    sessions: list[Summary]
    total: int = Field(description="how many were found in all")
    offset: int

    @classmethod
    def of(cls, page: Page, offset: int) -> Self:
        """One page."""
        found = [Summary.model_validate(row) for row in page.sessions]
        return cls(sessions=found, total=page.total, offset=offset)


class Edit(BaseModel):
    """A better text for a segment."""

    text: str = Field(max_length=20_000)


class Peaks(BaseModel):
    """How loud a recording is, from its start to its end, for a picture of it."""

    peaks: list[int] = Field(description="0 to 100, each for an equal share of the recording")
