"""The tables. A change here needs a migration for existing databases.

An owner is a user's name, or NULL for rows made without sign-in. It is not a foreign key: rows may
stay when the account is deleted.
"""

from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    Text,
    TypeDecorator,
    func,
    select,
    text,
)
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    column_property,
    mapped_column,
    relationship,
)

from coqui_server.config.audio import ChannelMode, Kind
from coqui_server.config.text import TextFormat

State = Literal["running", "finished", "failed", "interrupted"]
"""Of a session: open; finished; ended by an error or its source; open when the daemon died."""

JobState = Literal["pending", "processing", "completed", "failed", "cancelled"]


class _Text(TypeDecorator[str]):
    """Text without what PostgreSQL or UTF-8 cannot hold: NUL and halves of surrogate pairs."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value and value.replace("\0", "").encode("utf-8", "replace").decode()


class _Moment(TypeDecorator[datetime]):
    """A time with its zone, UTC. SQLite has none and gives it back without."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and value.replace(tzinfo=UTC)


_Number = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts up INTEGER keys only, and they have 64 bits there."""


class Table(DeclarativeBase):
    """The base of all tables: how Python's types are stored."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: _Text,
        datetime: _Moment,
        Kind: _Text,
        ChannelMode: _Text,
        TextFormat: _Text,
        State: _Text,
        JobState: _Text,
        dict[str, Any]: JSON,
        list[dict[str, Any]]: JSON,
        list[str]: JSON,
    }


class SessionRow(Table):
    """One source of sound from open to close.

    Attributes:
        start: when it was opened.
        duration: seconds of sound; 0 while it runs.
        error: why it failed, if it did.
        text, words: the transcript with edits, and its number of words; set at the end.
        statistics: what its transport counted, such as the packets of a call, and what was dropped.
        warnings: as in `coqui_transcript.mapping`: why something may be missing.
        names: that people gave to speakers, by what its segments call them.
        recording: bytes of its recorded sound; 0 without a recording.
        replica: which of several servers has it, or had it; NULL for one server alone.
        excerpt: the beginning of the text.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        Index("sessions_start", "start"),
        Index("sessions_owner", "owner", "start"),
        Index(
            "sessions_running",
            "replica",
            postgresql_where=text("state = 'running'"),
            sqlite_where=text("state = 'running'"),
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[Kind]
    engine: Mapped[str]
    owner: Mapped[str | None]
    call: Mapped[str | None]
    label: Mapped[str | None]
    start: Mapped[datetime]
    duration: Mapped[float] = mapped_column(default=0.0)
    state: Mapped[State] = mapped_column(default="running")
    error: Mapped[str | None]
    text: Mapped[str] = mapped_column(default="", deferred=True)
    folded: Mapped[str] = mapped_column(default="", deferred=True)
    words: Mapped[int] = mapped_column(default=0)
    statistics: Mapped[dict[str, Any]] = mapped_column(default=dict)
    warnings: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    names: Mapped[dict[str, Any]] = mapped_column(default=dict)
    recording: Mapped[int] = mapped_column(_Number, default=0)
    replica: Mapped[str | None]
    excerpt: Mapped[str] = column_property(func.substr(text, 1, 200))

    segments: Mapped[list["SegmentRow"]] = relationship(
        order_by="SegmentRow.id", lazy="raise", passive_deletes=True
    )


class SegmentRow(Table):
    """The text of one utterance. By their ids, a session's segments are in the order of speech.

    Attributes:
        start, end: seconds from the session's start.
        channel: of the file; NULL if all channels were heard together.
        speaker: the name of who speaks, where people were told apart.
        words: as in `coqui_transcript.mapping`; an edit does not change them.
        original: the engine's text, if the text was edited.
    """

    __tablename__ = "segments"
    __table_args__ = (Index("segments_session", "session"),)

    id: Mapped[int] = mapped_column(_Number, primary_key=True)
    session: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    start: Mapped[float]
    end: Mapped[float]
    text: Mapped[str]
    original: Mapped[str | None]
    channel: Mapped[int | None]
    speaker: Mapped[str | None]
    confidence: Mapped[float | None]
    words: Mapped[list[dict[str, Any]]] = mapped_column(default=list)


class ReplicaRow(Table):
    """One of several servers, while it runs. Times are those of the database's clock.

    Attributes:
        id: the run of the server (`cluster.Cluster`).
        seen: when it was last heard of.
        steady: since when it was heard of without a break.
    """

    __tablename__ = "replicas"

    id: Mapped[str] = mapped_column(primary_key=True)
    seen: Mapped[datetime]
    steady: Mapped[datetime]


class SecretRow(Table):
    """What several servers have to know and nobody else, such as the key that signs cookies."""

    __tablename__ = "secrets"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class UserRow(Table):
    """An account.

    Attributes:
        password: a hash with its salt and costs.
        sign_outs: how often the user signed out, which ends all sign-ins before.
        terms: names and terms to favour in the user's sessions.
    """

    __tablename__ = "users"

    name: Mapped[str] = mapped_column(primary_key=True)
    password: Mapped[str]
    admin: Mapped[bool] = mapped_column(default=False)
    created: Mapped[datetime]
    sign_outs: Mapped[int] = mapped_column(default=0)
    terms: Mapped[list[str]] = mapped_column(default=list)


class TokenRow(Table):
    """A key for programs; revoking deletes it. Only its hash, `digest`, is stored."""

    __tablename__ = "tokens"
    __table_args__ = (Index("tokens_user", "user"),)

    id: Mapped[int] = mapped_column(_Number, primary_key=True)
    user: Mapped[str] = mapped_column(ForeignKey("users.name", ondelete="CASCADE"))
    label: Mapped[str]
    digest: Mapped[str] = mapped_column(unique=True)
    created: Mapped[datetime]
    expires: Mapped[datetime | None]
    used: Mapped[datetime | None]


class JobRow(Table):
    """A file in the queue, and how it ended. Ids count up.

    Attributes:
        name: of the file, as its owner sent it; never a path.
        upload: its name in the folder of uploads.
        size: bytes.
        engine, language, track, channels: as requested.
        encoding, sample_rate: of a file without a header.
        format, speakers, terms: as requested; the number of speakers as text.
        session: the id of its transcript.
        warnings: those of its session.
        turn: its place in the queue: users take turns, so each one's files have rising numbers.
        running: its owner while it is worked on, "" for nobody; unique, so that each has one.
        attempt: how often it was begun: what every write of a worker names.
        lost: how often a worker was lost with it, or could not reach the store.
        after: when it may be begun again, if not at once.
        worker: who has, or had, it.
        lease: until when the worker has it, by the database's clock.
        stopping: whether it was cancelled while it ran.
        share, left: its progress: what part is done, and the seconds that the rest may take.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index("jobs_state", "state"),
        Index("jobs_running", "running", unique=True),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(_Number, primary_key=True)
    owner: Mapped[str | None]
    name: Mapped[str]
    upload: Mapped[str]
    size: Mapped[int] = mapped_column(_Number)
    engine: Mapped[str | None]
    language: Mapped[str | None]
    track: Mapped[int | None]
    channels: Mapped[ChannelMode | None]
    encoding: Mapped[str | None]
    sample_rate: Mapped[int | None]
    format: Mapped[TextFormat | None]
    speakers: Mapped[str | None]
    terms: Mapped[list[str]] = mapped_column(default=list)
    state: Mapped[JobState] = mapped_column(default="pending")
    error: Mapped[str | None]
    created: Mapped[datetime]
    started: Mapped[datetime | None]
    ended: Mapped[datetime | None]
    turn: Mapped[int] = mapped_column(_Number, default=0)
    running: Mapped[str | None]
    attempt: Mapped[int] = mapped_column(default=0)
    lost: Mapped[int] = mapped_column(default=0)
    after: Mapped[datetime | None]
    worker: Mapped[str | None]
    lease: Mapped[datetime | None]
    stopping: Mapped[bool] = mapped_column(default=False)
    share: Mapped[float] = mapped_column(default=0.0)
    left: Mapped[float | None]
    session: Mapped[str | None] = mapped_column(ForeignKey("sessions.id", ondelete="SET NULL"))
    warnings: Mapped[list[dict[str, Any]] | None] = column_property(
        select(SessionRow.warnings).where(SessionRow.id == session).scalar_subquery()
    )
