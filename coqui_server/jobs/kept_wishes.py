"""The wishes of a file as columns of its job, and back."""

from typing import Any

from coqui_server.media.raw import RawFormat
from coqui_server.store.tables import JobRow
from coqui_server.transcription.wishes import FileWishes, speakers_wish


def columns(wishes: FileWishes) -> dict[str, Any]:
    """The columns of `JobRow` that hold them."""
    raw, speakers = wishes.raw, wishes.speakers
    return {
        "track": wishes.track,
        "channels": wishes.channels,
        "encoding": raw and raw.encoding,
        "sample_rate": raw and raw.rate,
        "format": wishes.format,
        "speakers": None if speakers is None else str(speakers),
        "terms": list(wishes.terms),
    }


def wishes(job: JobRow) -> FileWishes:
    """The wishes that a job holds."""
    raw = RawFormat(job.encoding, job.sample_rate) if job.encoding and job.sample_rate else None
    return FileWishes(
        job.format,
        speakers_wish(job.speakers),
        tuple(job.terms),
        track=job.track,
        channels=job.channels,
        raw=raw,
    )
