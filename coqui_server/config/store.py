"""What `application.conf` may say of what is kept, where and for how long."""

from pathlib import Path

from pydantic import Field

from coqui_server.config.section import Duration, Key, Section, Size


class RecordingSettings(Section):
    """Which kinds of sessions have their sound kept: 115 MB an hour each."""

    file: bool = Field(True, description="true or false")
    live: bool = Field(True, description="true or false")
    rtp: bool = Field(True, description="true or false")


class RetentionSettings(Section):
    """Sessions older than `age` go, and the oldest while all recordings are more than `size`."""

    age: Duration | None = Field(
        None, gt=0, description='a duration such as "30 days", or null to keep all'
    )
    size: Size = Field(None, gt=0, description='a size such as "50 GB", or null to keep all')


class JobsSettings(Section):
    """Files that are uploaded to be transcribed one after another."""

    max_size: Size = Field(2_000_000_000, gt=0, description='a size such as "2 GB", more than 0')
    max_waiting: int = Field(1000, ge=1, description="a whole number, at least 1")


class StoreSettings(Section):
    """`url` may hold a password, so it is shown nowhere."""

    enabled: bool = Field(True, description="true or false")
    path: Path = Field(Path("data"), description="the folder of the database and of sound")
    url: Key = Field(
        None, description="postgresql://user@host/name, or null for SQLite in store.path"
    )
    recordings: RecordingSettings = RecordingSettings()
    retention: RetentionSettings = RetentionSettings()
