"""Transcribes a whole file in a session of its own."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path

from coqui_server.engines.base import Options
from coqui_server.exceptions import BadRequest, TooLarge
from coqui_server.media.raw import read_raw
from coqui_server.media.samples import SAMPLE_RATE
from coqui_server.media.transcode import Sound
from coqui_server.transcription.channels import Channels, Sounds
from coqui_server.transcription.events import Sink
from coqui_server.transcription.keeping import Keeper
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.service import Service
from coqui_server.transcription.session import Session
from coqui_server.transcription.tracks import choose_track
from coqui_server.transcription.wishes import NOTHING, FileWishes
from coqui_transcript.transcript import Transcript


async def transcribe(
    service: Service,
    chunks: AsyncIterator[bytes],
    *,
    path: Path | None = None,
    engine: str | None = None,
    language: str | None = None,
    prompt: str | None = None,
    translate: bool = False,
    wishes: FileWishes = NOTHING,
    label: str | None = None,
    owner: str | None = None,
    keeper: Keeper | None = None,
    sinks: Sequence[Sink] = (),
) -> tuple[Session, Transcript]:
    """The transcript of the file whose bytes `chunks` gives, and the session that made it.

    Args:
        path: where the same bytes are on the disk, if they are.
        engine, language: as a request names them; the default engine and its own language if not.
        prompt, translate: as `Options` has them; an engine without a prompt ignores it.
        keeper: keeps the session instead of the service's own.

    Raises:
        BadRequest: no such engine, it does not know the language, or does not translate, there is
            no such track, or there are too many channels to split.
        TooLarge: the sound is longer than `audio.max_duration`.
        RequestError: as `Service.session`, `Session.write` and `Transcoder.transcode`.
    """
    chosen = service.engines.get(engine, language)
    if translate and not chosen.capabilities.translates:
        raise BadRequest(f"{chosen.name} (model {chosen.model}) does not translate")
    options = Options(terms=wishes.terms, language=language, prompt=prompt, translate=translate)
    audio = service.settings.audio
    mode = wishes.channels or audio.channels
    request = SessionRequest(
        "file",
        engine=chosen,
        options=options,
        format=wishes.format,
        speakers=wishes.speakers,
        label=label,
        owner=owner,
        keeper=keeper,
        sinks=tuple(sinks),
    )
    if wishes.raw and wishes.track not in (None, 1):
        raise BadRequest(f"there is no track {wishes.track}: a file without a header has 1")
    async with service.session(request) as session:
        choose = partial(choose_track, service.settings, session.warn)
        if wishes.raw:
            reading = read_raw(chunks, wishes.raw)
        else:
            reading = service.transcoder.transcode(
                chunks,
                path,
                track=wishes.track,
                choose=choose,
                warn=session.warn,
                surround=mode == "split",
            )
        async with aclosing(_limited(reading, audio.max_duration)) as sound:
            await _hear(session, sound, Channels(mode, session.warn))
        return session, await session.finish()


async def _hear(session: Session, sound: Sound, channels: Channels) -> None:
    async for frames in sound:
        await _hear_all(session, channels.push(frames))
    await _hear_all(session, channels.flush())


async def _hear_all(session: Session, several: Iterable[Sounds]) -> None:
    for sounds in several:
        await session.hear(sounds)
        # A minute of all channels may come at once; live sessions are not to wait for it.
        await asyncio.sleep(0)


async def _limited(reading: Sound, longest: float) -> Sound:
    """The same frames, as long as they are no more than so many seconds."""
    length = 0
    async with aclosing(reading) as sound:
        async for frames in sound:
            length += len(frames)
            if length > longest * SAMPLE_RATE:
                raise TooLarge(f"the sound is longer than {longest:g} s")
            yield frames
