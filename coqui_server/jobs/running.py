"""A job while it runs, and every job as JSON."""

import asyncio
import time
from dataclasses import dataclass, field

from coqui_server.store.tables import JobRow
from coqui_server.transcription.messages import Message


@dataclass
class RunningJob:
    """A running job.

    Attributes:
        work: transcribes the file; cancelled with the job.
        task: waits for `work` and stores how it ended.
        share: transcribed part of the file, 0 to 1; of a file of unknown length, the part that was
            read.
        stopped: its owner cancelled it.
    """

    job: JobRow
    work: "asyncio.Task[None]" = field(init=False)
    task: "asyncio.Task[None]" = field(init=False)
    since: float = field(default_factory=time.monotonic)
    share: float = 0.0
    stopped: bool = False

    @property
    def left(self) -> float | None:
        """Estimated seconds for the rest of the file; None while they cannot be estimated."""
        if not self.share:
            return None
        return (time.monotonic() - self.since) * (1 - self.share) / self.share


def job_message(job: JobRow, running: RunningJob | None) -> Message:
    """A job as JSON. `percent` of its file is transcribed; `left` estimates the seconds for the
    rest, None while it cannot be estimated."""
    share = running.share if running else float(job.state == "completed")
    left = running.left if running else None
    return {
        "event": "job",
        "id": job.id,
        "owner": job.owner,
        "name": job.name,
        "size": job.size,
        "engine": job.engine,
        "language": job.language,
        "track": job.track,
        "channels": job.channels,
        "encoding": job.encoding,
        "sample_rate": job.sample_rate,
        "format": job.format,
        "speakers": job.speakers,
        "state": job.state,
        "error": job.error,
        "session": job.session,
        "warnings": job.warnings or [],
        "created": job.created.isoformat(),
        "percent": int(100 * share),
        "left": None if left is None else round(left, 1),
    }
