"""Opens a store, says so, and keeps it until it is killed."""

import asyncio
import sys
from pathlib import Path

from coqui_server.store.database import opened
from tests.support.stores import settings_of


async def hold(folder: Path, url: str | None) -> None:
    """Keep the store open for ever."""
    async with opened(settings_of(folder, url)):
        sys.stdout.write("open\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


asyncio.run(hold(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None))
