"""The interface to a store, as a session sees it."""

from typing import Protocol

from coqui_server.media.samples import Samples
from coqui_server.transcription.events import Event


class Keeper(Protocol):
    """Gets every event before the sinks, so that an announced final is already stored."""

    async def __call__(self, event: Event) -> None:
        """Store an event; return when it is stored.

        Raises:
            StoreError: it could not be.
        """

    async def record(self, session: str, sound: Samples | int) -> None:
        """Take the next samples of a session, 16 kHz mono int16, or so many samples of silence.

        Raises:
            StoreError: what came before could not be kept.
        """
