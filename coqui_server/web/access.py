"""Who asks, and what they may see."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from coqui_server.store.ownership import EVERYBODY, Whose


@dataclass(frozen=True)
class Asker:
    """Who asks: a user's name, None for nobody; and whose sessions, calls and files are shown."""

    user: str | None
    whose: Whose


async def asker() -> Asker:
    """Nobody signs in yet, so everybody sees everything."""
    return Asker(None, EVERYBODY)


Asking = Annotated[Asker, Depends(asker)]
