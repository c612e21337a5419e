"""What `application.conf` may say of what is kept, where and for how long."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from coqui_server.config.section import ADDRESS, Duration, Key, Section, Size


class RecordingSettings(Section):
    """Which kinds of sessions have their sound kept: 115 MB an hour each."""

    file: bool = Field(True, description="true or false")
    """The sound of files is kept."""
    live: bool = Field(True, description="true or false")
    """The sound of live sessions is kept."""
    rtp: bool = Field(True, description="true or false")
    """The sound of calls is kept."""


class RetentionSettings(Section):
    """Sessions older than `age` go, and the oldest while all recordings are more than `size`."""

    age: Duration | None = Field(
        None, gt=0, description='a duration such as "30 days", or null to keep all'
    )
    """Sessions that are older are deleted; null keeps all."""
    size: Size = Field(None, gt=0, description='a size such as "50 GB", or null to keep all')
    """The oldest sessions with sound are deleted while all sound is larger; null keeps all."""


class JobsSettings(Section):
    """Files that are uploaded to be transcribed one after another."""

    backend: Literal["local", "celery"] = Field("local", description="local or celery")
    """Where they are transcribed. local: by this server. celery: by workers on any machine."""
    per_worker: int = Field(2, ge=1, description="a whole number, at least 1")
    """How many files a worker of Celery transcribes at a time, each on several decoder threads."""
    max_size: Size = Field(2_000_000_000, gt=0, description='a size such as "2 GB", more than 0')
    """The largest file that can be uploaded."""
    max_waiting: int = Field(1000, ge=1, description="a whole number, at least 1")
    """How many files of one user may wait."""
    attempts: int = Field(3, ge=1, description="a whole number, at least 1")
    """How often a file is begun when its worker is lost or cannot reach the store."""


class S3Settings(Section):
    """Where `store.files` is. Its keys come from the environment or from `~/.aws`."""

    endpoint: str | None = Field(
        None, pattern=ADDRESS, description="an http or https address, or null for Amazon S3"
    )
    """The address of a service with the interface of S3; null is Amazon's."""


class StoreSettings(Section):
    """`url` may hold a password, so it is shown nowhere."""

    enabled: bool = Field(True, description="true or false")
    """Sessions, accounts and uploaded files are kept."""
    path: Path = Field(Path("data"), description="the folder of the database and of sound")
    """The folder of the database and of recordings."""
    url: Key = Field(
        None, description="postgresql://user@host/name, or null for SQLite in store.path"
    )
    """A PostgreSQL database; null is SQLite in `store.path`. It is never shown."""
    files: str | None = Field(
        None, pattern=r"^s3://[^/]+", description="s3://bucket/folder, or null for store.path"
    )
    """A bucket for uploaded files and for recordings that are complete; null is `store.path`."""
    s3: S3Settings = S3Settings()
    recordings: RecordingSettings = RecordingSettings()
    retention: RetentionSettings = RetentionSettings()
