"""A live client's bytes to 16 kHz samples, in pieces short enough for the event loop."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import numpy as np
from websockets.exceptions import ConnectionClosed

from coqui_server.exceptions import BadRequest, NotAudio, RequestError, ServerFault
from coqui_server.media.codecs import Decoder, decoder
from coqui_server.media.formats import Format
from coqui_server.media.resample import Resampler
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.protocols.format_check import FormatCheck
from coqui_server.transcription.session import Session

ENCODINGS = {"linear16": None, "mulaw": "PCMU", "alaw": "PCMA", "g722": "G722", "opus": "opus"}
"""Names that cloud APIs use, and the RTP encodings that are the same bytes. A message of opus is
one packet (RFC 6716), of the others any number of bytes."""

LOWEST, HIGHEST = 8000, 192_000
_PIECE = 16_000
"""Bytes decoded at once, about half a second: the loop is free again in a millisecond."""

_log = logging.getLogger(__name__)


class Intake:
    """One stream of sound; samples may be cut anywhere, in the middle of one as well.

    Args:
        rate: hertz; None is 8000 for mu-law and A-law, as on telephone lines, and else 16000.

    Raises:
        BadRequest: an encoding or rate that is not taken; the message says which are.
    """

    def __init__(self, encoding: str = "linear16", rate: float | None = None) -> None:
        if not isinstance(encoding, str) or encoding not in ENCODINGS:
            raise BadRequest(f"encoding is one of {', '.join(ENCODINGS)}")
        self._decoder = _decoder(ENCODINGS[encoding])
        if rate is None:
            rate = self._decoder.rate if self._decoder else SAMPLE_RATE
        number = isinstance(rate, int | float) and not isinstance(rate, bool)
        # `int` is safe after the range: NaN and the infinities are in no range.
        if not number or not LOWEST <= rate <= HIGHEST or rate != int(rate):
            raise BadRequest(f"sample_rate is a whole number of hertz, {LOWEST} to {HIGHEST}")
        # A mu-law or A-law stream may have any rate; the others carry theirs.
        own_rate = encoding in ("g722", "opus")
        self._resampler = Resampler(self._decoder.rate if own_rate and self._decoder else int(rate))
        self._packets = encoding == "opus"
        self._check = FormatCheck(encoding)
        self._odd = b""

    async def write(self, session: Session, data: bytes) -> None:
        """Decode the bytes and write their samples into the session.

        Raises:
            NotAudio: they are a file, or sound of another encoding.
            ServerFault: the session failed.
        """
        for piece in self._pieces(data):
            await session.write(self._resampler.push(self._samples(piece)))
            await asyncio.sleep(0)

    async def end(self, session: Session) -> None:
        """Write the samples that the resampler held back."""
        await session.write(self._resampler.flush())

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        if self._packets:
            yield data
            return
        for start in range(0, len(data), _PIECE):
            yield data[start : start + _PIECE]

    def _samples(self, data: bytes) -> Samples:
        if self._decoder:
            self._check.push(data)
            return self._decoder.decode([data])
        joined = self._odd + data
        whole = len(joined) & ~1
        self._odd = joined[whole:]
        self._check.push(joined[:whole])
        return np.frombuffer(joined[:whole], "<i2").astype(np.int16)


@asynccontextmanager
async def finishing(session: Session, intake: Intake) -> AsyncIterator[None]:
    """Finish the session at the end of the block, also when the client left or was refused.

    Sound that proves to be none is not decoded: its text would be made up.

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
        await intake.end(session)
        await session.finish()
        raise
    await intake.end(session)
    await session.finish()


def _decoder(encoding: str | None) -> Decoder | None:
    return decoder(Format.parse(encoding), "network") if encoding else None
