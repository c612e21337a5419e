"""A live client's bytes to 16 kHz samples, in pieces short enough for the event loop."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from websockets.exceptions import ConnectionClosed

from coqui_server.exceptions import NotAudio, RequestError, ServerFault
from coqui_server.media.mixdown import Mixdown
from coqui_server.media.raw import RawFormat, RawFrames
from coqui_server.transcription.session import Session

_log = logging.getLogger(__name__)


class Intake:
    """One stream of sound, as `RawFrames`. Several channels are mixed.

    Args:
        encoding, rate, channels: as `RawFormat.of`.

    Raises:
        BadRequest: as `RawFormat.of`.
    """

    def __init__(
        self, encoding: str = "linear16", rate: float | None = None, channels: int = 1
    ) -> None:
        self._sound = RawFrames(RawFormat.of(encoding, rate, channels))
        self._mixdown = Mixdown()

    async def write(self, session: Session, data: bytes) -> None:
        """Decode the bytes and write their samples into the session.

        Raises:
            NotAudio: they are a file, or sound of another encoding.
            ServerFault: the session failed.
        """
        for frames in self._sound.push(data):
            await session.write(self._mixdown.push(frames))
            await asyncio.sleep(0)

    async def end(self, session: Session) -> None:
        """Write the samples that the resampler held back."""
        await session.write(self._mixdown.push(self._sound.flush()))


@asynccontextmanager
async def finishing(session: Session, intake: Intake | None) -> AsyncIterator[None]:
    """Finish the session at the end of the block, also when the client left or was refused.

    Sound that proves to be none is not decoded: its text would be made up.

    Args:
        intake: what may hold the last samples back; None where nothing does.

    Raises:
        ServerFault: the session failed.
    """
    try:
        yield
    except ServerFault:
        raise
    except NotAudio as refusal:
        _log.warning("session %s: %s", session.id, refusal)
        raise
    except (ConnectionClosed, RequestError):
        await _finish(session, intake)
        raise
    await _finish(session, intake)


async def _finish(session: Session, intake: Intake | None) -> None:
    if intake:
        await intake.end(session)
    await session.finish()
