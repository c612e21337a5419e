"""Sound as payloads, made by FFmpeg's encoders, for the tests of `coqui_server.rtp`."""

import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from typing import cast

import av
import numpy as np
import pytest
import soxr

from coqui_server.media.samples import SAMPLE_RATE, Samples
from tests.support.media import spoken


@cache
def speech(rate: int = 8000, seconds: float = 2.0) -> Samples:
    """The beginning of a sample clip at this rate."""
    whole = spoken("voicemail.wav")[: round(seconds * SAMPLE_RATE)]
    resampled: Samples = soxr.resample(whole, SAMPLE_RATE, rate)
    return resampled


def sine(hertz: float, rate: int, seconds: float, peak: float = 8000) -> Samples:
    """One tone."""
    turns = np.arange(round(seconds * rate)) * hertz / rate
    wave: Samples = np.rint(peak * np.sin(2 * np.pi * turns)).astype(np.int16)
    return wave


def encoded(
    codec: str, pcm: Samples, rate: int, milliseconds: float = 20, **options: str
) -> list[bytes]:
    """The payloads of a sound, each so long."""
    size = round(rate * milliseconds / 1000)
    context = cast(av.AudioCodecContext, av.CodecContext.create(codec, "w"))
    context.sample_rate, context.layout, context.format = rate, "mono", "s16"
    context.options = options
    packets = []
    for start in range(0, len(pcm) - size + 1, size):
        frame = av.AudioFrame.from_ndarray(pcm[None, start : start + size], "s16", "mono")
        frame.sample_rate, frame.pts = rate, start
        packets += context.encode(frame)
    return [bytes(packet) for packet in packets]


def opus(pcm: Samples, rate: int, milliseconds: float = 20, **options: str) -> list[bytes]:
    """Packets of libopus, at any of its rates and durations."""
    return encoded("libopus", pcm, rate, milliseconds, frame_duration=str(milliseconds), **options)


def law(pcm: Samples, name: str = "mulaw", milliseconds: float = 20) -> list[bytes]:
    """8 kHz sound in G.711."""
    return encoded(f"pcm_{name}", pcm, 8000, milliseconds)


def gsm(pcm: Samples) -> list[bytes]:
    """8 kHz sound in GSM full rate, by Debian's ffmpeg: those in packages have no encoder."""
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("this system has no ffmpeg of its own (Debian: apt-get install ffmpeg)")
    raw = ["-f", "s16le", "-ar", "8000", "-ac", "1", "-i", "pipe:0", "-f", "gsm", "pipe:1"]
    command = [program, "-v", "error", *raw]
    coded = subprocess.run(command, input=pcm.tobytes(), stdout=subprocess.PIPE, check=True).stdout
    return [coded[start : start + 33] for start in range(0, len(coded) - 32, 33)]


def decoded(codec: str, payloads: Sequence[bytes], rate: int) -> Samples:
    """What FFmpeg makes of payloads."""
    context = cast(av.AudioCodecContext, av.CodecContext.create(codec, "r"))
    context.sample_rate, context.layout = rate, "mono"
    frames = [frame for payload in payloads for frame in context.decode(av.Packet(payload))]
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def linear(pcm: Samples, samples: int, order: str = ">") -> list[bytes]:
    """Payloads of 16-bit samples, high byte first or (`<`) low byte first."""
    pieces = (pcm[start : start + samples] for start in range(0, len(pcm), samples))
    return [piece.astype(f"{order}i2").tobytes() for piece in pieces]


def likeness(one: Samples, other: Samples, shift: int = 0) -> float:
    """Correlation of two sounds, the best when the first is up to `shift` samples late."""

    def shifted(by: int) -> float:
        both = min(len(one) - by, len(other))
        return float(np.corrcoef(one[by : by + both], other[:both])[0, 1])

    return max(shifted(by) for by in range(shift + 1))
