"""Transcribes a whole file in a session of its own."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path

from coqui_server.config.text import TextFormat
from coqui_server.engines.base import Options
from coqui_server.exceptions import BadRequest, TooLarge
from coqui_server.media.raw import RawFormat, read_raw
from coqui_server.media.samples import SAMPLE_RATE
from coqui_server.transcription.events import Sink
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.service import Service
from coqui_server.transcription.session import Session
from coqui_server.transcription.tracks import choose_track
from coqui_transcript.transcript import Transcript


async def transcribe(
    service: Service,
    chunks: AsyncIterator[bytes],
    *,
    path: Path | None = None,
    engine: str | None = None,
    language: str | None = None,
    track: int | None = None,
    raw: RawFormat | None = None,
    format: TextFormat | None = None,
    label: str | None = None,
    owner: str | None = None,
    sinks: Sequence[Sink] = (),
) -> tuple[Session, Transcript]:
    """The transcript of the file whose bytes `chunks` gives, and the session that made it.

    Args:
        path: where the same bytes are on the disk, if they are.
        engine, language: as a request names them; the default engine and its own language if not.
        track: the number of a sound track, from 1; None to choose one that has speech.
        raw: the format of a file without a header; None for all others.
        format: of the text; None for `text.format`.

    Raises:
        BadRequest: no such engine, it does not know the language, or there is no such track.
        TooLarge: the sound is longer than `audio.max_duration`.
        RequestError: as `Service.session`, `Session.write` and `Transcoder.transcode`.
    """
    chosen = service.engines.get(engine, language)
    options = Options(language=language)
    longest = service.settings.audio.max_duration
    request = SessionRequest(
        "file",
        engine=chosen,
        options=options,
        format=format,
        label=label,
        owner=owner,
        sinks=tuple(sinks),
    )
    if raw and track not in (None, 1):
        raise BadRequest(f"there is no track {track}: a file without a header has 1")
    async with service.session(request) as session:
        choose = partial(choose_track, service.settings, session.warn)
        if raw:
            reading = read_raw(chunks, raw)
        else:
            reading = service.transcoder.transcode(
                chunks, path, track=track, choose=choose, warn=session.warn
            )
        async with aclosing(reading) as sound:
            async for pcm in sound:
                if session.samples + len(pcm) > longest * SAMPLE_RATE:
                    raise TooLarge(f"the sound is longer than {longest:g} s")
                await session.write(pcm)
        return session, await session.finish()
