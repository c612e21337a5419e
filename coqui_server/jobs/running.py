"""A job while it runs, and every job as JSON."""

import asyncio
import time
from dataclasses import dataclass, field

from coqui_server.store.claims import Report, Token
from coqui_server.store.tables import JobRow
from coqui_server.transcription.messages import Message


@dataclass
class RunningJob:
    """A job that this process works on.

    Attributes:
        job: its row, with the progress that the table gets later.
        work: transcribes the file; cancelled with the job.
        task: waits for `work` and stores how it ended.
        cancelled: its owner does not want it any more.
        taken: another worker may have it, so nothing more is stored.
    """

    job: JobRow
    work: "asyncio.Task[None]" = field(init=False)
    task: "asyncio.Task[None]" = field(init=False)
    since: float = field(default_factory=time.monotonic)
    cancelled: bool = False
    taken: bool = False
    _stopped: bool = False

    def stop(self) -> None:
        """Have the work end, once: what it leaves behind is not to be interrupted."""
        if not self._stopped:
            self._stopped = True
            self.work.cancel()

    @property
    def token(self) -> Token:
        """What its writes name."""
        return Token(self.job.id, self.job.attempt)

    @property
    def report(self) -> Report:
        """How far it is."""
        return Report(self.token, self.job.share, self.job.left)

    def advance(self, share: float) -> bool:
        """Set what part of the file is done, 0 to 1, which of a file of unknown length is what was
        read. Returns whether that is a further per cent."""
        before, now = self.job.share, min(share, 1.0)
        self.job.share = now
        if now:
            self.job.left = (time.monotonic() - self.since) * (1 - now) / now
        return int(100 * now) > int(100 * before)


def job_message(job: JobRow) -> Message:
    """A job as JSON. `percent` of its file is transcribed; `left` estimates the seconds for the
    rest, None while it cannot be estimated."""
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
        "percent": int(100 * job.share),
        "left": None if job.left is None else round(job.left, 1),
    }
