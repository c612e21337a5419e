"""The JSON of sessions, for the API reference."""

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from coqui_server.config.audio import Kind
from coqui_server.store.sessions import Page
from coqui_server.store.tables import SegmentRow, SessionRow, State


class _Shape(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Segment(_Shape):
    """The text of one utterance; times are seconds from the session's start."""

    id: int
    start: float
    end: float
    text: str
    original: str | None = Field(description="the engine's text, if the text was edited")
    channel: int | None = Field(description="of the file, from 1; null: all together")
    speaker: str | None = Field(description="who speaks, where people were told apart")
    confidence: float | None
    words: list[dict[str, Any]] = Field(description="word, start, end and perhaps confidence")

    @classmethod
    def of(cls, row: SegmentRow) -> Self:
        """From its row."""
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
    excerpt: str = Field(description="the beginning of the text")
    recording: int = Field(description="bytes of recorded sound")


class Session(Summary):
    """A session with its transcript."""

    text: str
    statistics: dict[str, Any]
    names: dict[str, str] = Field(description="that people gave to the speakers of its segments")
    warnings: list[dict[str, str]] = Field(description="why the text may miss something")
    segments: list[Segment]

    @classmethod
    def of(cls, row: SessionRow) -> Self:
        """From its row; a running session has the text of its segments so far."""
        session = cls.model_validate(row)
        text = " ".join(segment.text for segment in session.segments if segment.text)
        return session.model_copy(update={"text": text})


class Sessions(BaseModel):
    """Some of the sessions of a search, newest first."""

    sessions: list[Summary]
    total: int = Field(description="number of sessions in all")
    offset: int

    @classmethod
    def of(cls, page: Page, offset: int) -> Self:
        """One page."""
        found = [Summary.model_validate(row) for row in page.sessions]
        return cls(sessions=found, total=page.total, offset=offset)


class Edit(BaseModel):
    """A new text for a segment."""

    text: str = Field(max_length=20_000)


class Naming(BaseModel):
    """A name for a speaker."""

    name: str = Field(max_length=100)


class Peaks(BaseModel):
    """The levels of a recording, for a waveform picture."""

    peaks: list[int] = Field(description="0 to 100, each for an equal part of the recording")
