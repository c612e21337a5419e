"""A program that is killed: a store with a queue whose engine never comes to an end."""

import asyncio
import sys
from pathlib import Path

from coqui_server.config.settings import Settings
from coqui_server.engines import Engines
from coqui_server.jobs import opening
from coqui_server.principal import EVERYBODY
from coqui_server.store import opened
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.service import Service
from tests.support.live import Obstacle
from tests.support.stores import settings_of


async def main(folder: Path, sound: Path) -> None:
    """Put a file into the queue, and say so when its session is open."""
    settings = Settings()
    async with opened(settings_of(folder)) as store:
        assert store is not None
        engines = Engines(Obstacle(held=True))
        service = Service(settings, engines, Scheduler(1), store.keeper)
        async with opening.opened(service, store) as queue:
            async with queue.receive() as upload:
                await upload.write(sound.read_bytes())
                id = (await queue.add(upload, "anna", "a.wav")).id
            while (await queue.get(EVERYBODY, id))["session"] is None:
                await asyncio.sleep(0.01)
            sys.stdout.write("processing\n")
            sys.stdout.flush()
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
