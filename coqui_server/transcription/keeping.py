"""What a session asks of whoever keeps it, so that it need not know how that is done."""

from typing import Protocol

from coqui_server.media.samples import Samples
from coqui_server.transcription.events import Event


class Keeper(Protocol):
    """Is told everything before anybody else is, so that what is announced is kept."""

    async def __call__(self, event: Event) -> None:
        """Return when the event is kept.

        Raises:
            StoreError: it could not be.
        """

    async def record(self, session: str, sound: Samples | int) -> None:
        """Take the next samples of a session, 16 kHz mono int16, or so many samples of silence.

        Raises:
            StoreError: what came before could not be kept.
        """
