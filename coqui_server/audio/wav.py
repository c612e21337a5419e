"""Samples as a WAV file in memory, for services that take files."""

import io
import wave

from coqui_server.audio.level import Samples
from coqui_server.settings import SAMPLE_RATE


def encode(pcm: Samples) -> bytes:
    """A 16 kHz 16-bit mono WAV file with these samples."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE)
        out.writeframes(pcm.astype("<i2", copy=False).tobytes())
    return file.getvalue()
