"""Live streams at the pace of speech, and what is in their sound, to measure delays against.

Sample n of a stream is spoken n / 16,000 s after its start, and a message leaves when its last
sample has been spoken, as from a microphone: on a schedule that nobody's lateness moves.
"""

import asyncio
import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import webrtcvad
from pyhocon import ConfigFactory
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.speech import Clip
from coqui_server.config.loading import parse
from coqui_server.config.settings import Settings
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.speech.level import FRAME, Leveller
from coqui_server.speech.vad import Closed, Gate, Opened, Speech

PAUSE = 1.5
"""Seconds of silence between two clips of a stream."""

Times = npt.NDArray[np.float64]

_MESSAGES = (20, 100)
"""Milliseconds of sound in the shortest and the longest message."""

_LOUD = 10 ** (-20 / 20)
"""A frame is sound within 20 dB of the utterance's loud ones: the end of the last such frame is
where a listener hears the speaker stop. Against a forced alignment of 17 clips it was 0.03 s early
in the median, and never more than 0.1 s off."""


@dataclass(frozen=True)
class Utterance:
    """What the gate makes an utterance of. Times are seconds from the stream's start.

    Attributes:
        sounding: the ends of its frames with sound in them.
        voiced: the end of the last frame that webrtcvad called voiced before it was closed.
        closed: when the gate knew that it was over.
        cut: it was ended for its length, in the middle of speech.
        pcm: what is decoded.
    """

    start: float
    sounding: Times
    voiced: float
    closed: float
    cut: bool
    pcm: Samples

    @property
    def spoken(self) -> float:
        """The end of its last sound."""
        return float(self.sounding[-1])


@dataclass
class Told:
    """What the daemon said to one stream.

    Attributes:
        messages: each with the seconds from the stream's start to its arrival.
        late: the most seconds that a message left behind schedule.
        refused: why the stream was not let in.
    """

    messages: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    late: float = 0.0
    refused: str = ""


def counts(text: str) -> list[int]:
    """The numbers of streams in an argument such as `1,4,8`."""
    return [int(count) for count in text.split(",")]


def configured(hocon: str) -> Settings:
    """The settings that a daemon started with this text would have."""
    return parse(ConfigFactory.parse_string(hocon).as_plain_ordered_dict(), Path.cwd())


def stream_of(found: Sequence[Clip], first: int, seconds: float) -> Samples:
    """Clips one after another, from the one with index `first` on, with pauses between."""
    pause = np.zeros(round(PAUSE * SAMPLE_RATE), np.int16)
    parts: list[Samples] = []
    while sum(map(len, parts)) < seconds * SAMPLE_RATE:
        parts += [_pcm(found[(first + len(parts) // 2) % len(found)]), pause]
    return np.concatenate(parts)


@cache
def _pcm(clip: Clip) -> Samples:
    return clip.pcm()


def utterances(sound: Samples, settings: Settings) -> Iterator[Utterance]:
    """What the gate of a live session cuts this sound into, and when it knows."""
    levelled = Leveller(settings.level, 0.0).push(sound)
    gate = Gate(settings.vad, settings.audio, True)
    vad = webrtcvad.Vad(settings.vad.mode)
    step = round(settings.audio.frame_duration * SAMPLE_RATE)
    start, voiced, parts = 0.0, 0.0, list[Samples]()
    for end in range(step, len(levelled) + 1, step):
        frame = levelled[end - step : end]
        closed = end / SAMPLE_RATE
        voiced = closed if vad.is_speech(frame.tobytes(), SAMPLE_RATE) else voiced
        for event in gate.push(frame):
            match event:
                case Opened(start):
                    parts = []
                case Speech(pcm):
                    parts.append(pcm)
                case Closed():
                    cut = closed - start >= settings.vad.max_utterance
                    whole = np.concatenate(parts)
                    yield Utterance(start, start + sounding(whole), voiced, closed, cut, whole)


def sounding(pcm: Samples) -> Times:
    """The ends of the frames with sound in them, in seconds."""
    frames = pcm[: len(pcm) // FRAME * FRAME].reshape(-1, FRAME)
    loudness = np.sqrt(np.mean(np.square(frames, dtype=np.float64), axis=1))
    (places,) = np.nonzero(loudness > np.percentile(loudness, 95) * _LOUD)
    ends: Times = (places + 1) * FRAME / SAMPLE_RATE
    return ends


async def speak(url: str, sound: Samples, *, at: float = 0.0, paced: bool = True) -> Told:
    """Stream the sound to the live socket, starting `at` seconds from now.

    Without pace, it is sent as fast as it is taken.
    """
    await asyncio.sleep(at)
    told = Told()
    async with connect(f"{url}/ws/v1/speech-to-text", compression=None, ping_timeout=None) as line:
        await line.send(json.dumps({"event": "start", "words": True}))
        first = json.loads(await line.recv())
        if first["event"] == "error":
            told.refused = first["message"]
            return told
        start = time.perf_counter()
        listening = asyncio.create_task(_listen(line, start, told))
        await _send(line, sound, start, told, paced=paced)
        await line.send(json.dumps({"event": "stop"}))
        await listening
    return told


async def _send(
    line: ClientConnection, sound: Samples, start: float, told: Told, *, paced: bool
) -> None:
    sizes = random.Random(len(sound))
    sent = 0
    while sent < len(sound):
        end = min(sent + sizes.randint(*_MESSAGES) * SAMPLE_RATE // 1000, len(sound))
        wait = start + end / SAMPLE_RATE - time.perf_counter()
        if paced:
            await asyncio.sleep(max(0.0, wait))
        await line.send(sound[sent:end].tobytes())
        told.late = max(told.late, time.perf_counter() - start - end / SAMPLE_RATE)
        sent = end


async def _listen(line: ClientConnection, start: float, told: Told) -> None:
    """Note what is said until the session's end."""
    async for text in line:
        message = json.loads(text)
        told.messages.append((time.perf_counter() - start, message))
        if message["event"] in ("stopped", "error"):
            return
