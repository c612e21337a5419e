"""Samples as a WAV file: 16 kHz, 16 bits, mono (Microsoft, "Multimedia Programming Interface")."""

import struct

from coqui_server.media.samples import SAMPLE_RATE, Samples

HEADER = 44
"""Bytes before the samples."""

_LARGEST = 0xFFFFFFFF
"""The largest size, 37 hours; players take it for "until the end"."""


def encode(pcm: Samples) -> bytes:
    """A file with these samples."""
    data = pcm.astype("<i2", copy=False).tobytes()
    return header(len(data)) + data


def header(length: int) -> bytes:
    """The header before so many bytes of samples."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        min(length + HEADER - 8, _LARGEST),
        b"WAVE",
        b"fmt ",
        16,
        1,
        1,
        SAMPLE_RATE,
        2 * SAMPLE_RATE,
        2,
        16,
        b"data",
        min(length, _LARGEST),
    )
