"""A queue of jobs, and what its users do with it."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from coqui_server.jobs.queue import Queue
from coqui_server.principal import EVERYBODY
from coqui_server.store import Store
from coqui_server.transcription.messages import Message
from tests.support.clips import clip

VOICE = clip("appointment.wav")


@dataclass
class Desk:
    """A queue, and what its users do."""

    queue: Queue
    store: Store

    async def put(self, owner: str | None, name: str = "a.wav", **wishes: Any) -> int:
        """Upload the sample; the job's id."""
        async with self.queue.receive() as upload:
            await upload.write(wishes.pop("data", VOICE.path.read_bytes()))
            return (await self.queue.add(upload, owner, name, **wishes)).id

    async def until(self, id: int, *states: str) -> Message:
        """Wait until a job is in one of these states."""
        with self.queue.subscribed(EVERYBODY) as news:
            while (job := await self.queue.get(EVERYBODY, id))["state"] not in states:
                await anext(news)
        return job

    async def states(self) -> list[str]:
        """Of all jobs, the first one first."""
        return [job["state"] for job in reversed(await self.queue.find(EVERYBODY))]

    def uploads(self) -> list[str]:
        """The files that are there."""
        return [file.name for file in (self.store.settings.path / "uploads").iterdir()]


Open = Callable[..., AbstractAsyncContextManager[Desk]]
