"""Tells in what language a file is spoken."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial
from pathlib import Path

import numpy as np

from coqui_server.engines.base import Detector
from coqui_server.exceptions import BadRequest, NotAudio
from coqui_server.media.mixdown import Mixdown
from coqui_server.media.raw import RawFormat, read_raw
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.media.transcode import Sound
from coqui_server.speech.level import Leveller
from coqui_server.speech.vad import Gate, Speech
from coqui_server.transcription.service import Service

_ENOUGH = 30 * SAMPLE_RATE
"""Samples of speech that are listened to: what Whisper takes at once."""


async def spoken_language(
    service: Service,
    chunks: AsyncIterator[bytes],
    *,
    path: Path | None = None,
    raw: RawFormat | None = None,
) -> tuple[str, float]:
    """The language of a file's first 30 s of speech, as a BCP 47 tag, and its probability.

    Args:
        path, raw: as `transcription.files.transcribe`.

    Raises:
        BadRequest: none of the engines here tells languages.
        NotAudio: nobody speaks in it, or it is no sound.
        ServerFault: as `Transcoder.transcode`.
    """
    detector = _detector(service)
    reading = read_raw(chunks, raw) if raw else service.transcoder.transcode(chunks, path)
    async with aclosing(reading) as sound:
        speech = await _speech(service, sound)
    return await service.on_thread(partial(detector.detect, speech))


def _detector(service: Service) -> Detector:
    for engine in service.engines:
        if isinstance(engine, Detector) and engine.capabilities.detects:
            return engine
    raise BadRequest("no engine here tells languages; whisper does, with a multilingual model")


async def _speech(service: Service, sound: Sound) -> Samples:
    settings = service.settings
    gate = Gate(settings.vad, settings.audio, live=False)
    leveller, mixdown = Leveller(settings.level, 0.0), Mixdown()
    found: list[Samples] = []
    async for frames in sound:
        events = gate.push(leveller.push(mixdown.push(frames)))
        found += [event.pcm for event in events if isinstance(event, Speech)]
        if sum(map(len, found)) >= _ENOUGH:
            break
    else:
        events = gate.push(leveller.flush()) + gate.flush()
        found += [event.pcm for event in events if isinstance(event, Speech)]
    if not found:
        raise NotAudio("nobody speaks in the file", "no_speech")
    return np.concatenate(found)[:_ENOUGH]
