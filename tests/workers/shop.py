"""A queue whose jobs are done by worker processes."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from coqui_server import cluster
from coqui_server.config import loading
from coqui_server.engines import Engines
from coqui_server.jobs import opening
from coqui_server.principal import EVERYBODY
from coqui_server.store import opened
from coqui_server.store.tables import JobRow
from coqui_server.transcription.messages import Message
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.service import Service
from tests.support.clips import ROOT
from tests.support.live import Obstacle
from tests.support.queue import Desk
from tools import redis

ENGINES = ("moonshine", "vosk")
"""What the settings enable; which of them a worker has is said when it is hired."""


@dataclass
class Worker:
    """A worker process."""

    process: "subprocess.Popen[bytes]"

    def pause(self) -> None:
        """Let it stand still."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it without a word."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        return self.process.wait(60)


class Shop(Desk):
    """A queue, what its users do, and its workers.

    Attributes:
        gate: a file without which no worker's engine gets on.
        log: of all workers.
    """

    folder: Path
    workers: list[Worker]

    @property
    def gate(self) -> Path:
        return self.folder / "gate"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def hire(self, *engines: str) -> Worker:
        """Start a worker that has these engines, by default the default one."""
        program = [sys.executable, "-m", "tests.workers.program"]
        files = [str(self.folder / "application.conf"), str(self.gate)]
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [*program, *files, *(engines or ENGINES[:1])], stdout=log, stderr=log, cwd=ROOT
            )
        self.workers.append(Worker(process))
        return self.workers[-1]

    async def begun(self, id: int) -> JobRow:
        """Wait until a job has a session; its row."""
        while True:
            job = await self.store.jobs.get(EVERYBODY, id)
            if job.state == "processing" and job.session:
                return job
            await asyncio.sleep(0.02)

    async def ended(self, *ids: int) -> list[Message]:
        """Wait until these jobs, which are all there are, have ended, each of them once: what is
        done has a transcript, and there is no other transcript."""
        jobs = [await self.until(id, "completed", "failed", "cancelled") for id in ids]
        made = [job["session"] for job in jobs if job["state"] == "completed"]
        page = await self.store.sessions.find(EVERYBODY)
        whole = [row.id for row in page.sessions if row.state == "finished"]
        assert sorted(whole) == sorted(made)
        assert not [row for row in page.sessions if row.state == "running"]
        return jobs


@asynccontextmanager
async def shop(folder: Path, url: str, server: redis.Server, more: str = "") -> AsyncIterator[Shop]:
    """A shop on a database and a Redis.

    Args:
        more: of the configuration.
    """
    configuration = folder / "application.conf"
    configuration.write_text(f"""
        store {{ path = "{folder}/data", url = "{url}" }}
        cluster {{ redis = "{server.url}", lease = 2 s }}
        jobs {{ backend = celery, attempts = 100, per_worker = 1 }}
        engines.enabled = [{", ".join(ENGINES[1:])}]
        {more}
    """)
    settings, _ = loading.load(configuration)
    async with AsyncExitStack() as stack:
        shared = await stack.enter_async_context(cluster.opened(settings.cluster))
        assert shared is not None
        store = await stack.enter_async_context(opened(settings.store, shared.run, 2))
        assert store is not None
        scheduler = Scheduler(1)
        stack.push_async_callback(scheduler.close)
        engines = Engines(*(Obstacle(name=name) for name in ENGINES))
        service = Service(settings, engines, scheduler, store.keeper, cluster=shared)
        queue = await stack.enter_async_context(opening.opened(service, store))
        made = Shop(queue, store)
        made.folder, made.workers = folder, []
        try:
            yield made
        finally:
            for worker in made.workers:
                worker.kill()
