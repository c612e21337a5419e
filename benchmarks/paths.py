"""The ways a clip takes to the daemon, and what comes back when.

Live sound and calls come at the pace of speech, with 1.5 s of silence at the end, as somebody who
stays on the line: so what is waited for is the daemon, not the caller.
"""

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import numpy as np
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.live import PAUSE, Utterance, speak, utterances
from benchmarks.speech import Clip, ask
from coqui_server.config.settings import Settings
from coqui_server.media.ffmpeg import find_ffmpeg
from coqui_server.media.samples import SAMPLE_RATE, Samples
from tools.daemon import Daemon

CODECS: Mapping[str, tuple[str, ...]] = {
    "pcmu": ("-c:a", "pcm_mulaw", "-ar", "8000", "-payload_type", "0"),
    "pcma": ("-c:a", "pcm_alaw", "-ar", "8000", "-payload_type", "8"),
    "g722": ("-c:a", "g722", "-ar", "16000", "-payload_type", "9"),
    "opus": ("-c:a", "libopus", "-ar", "48000", "-ac", "2", "-payload_type", "96"),
    "l16": ("-c:a", "pcm_s16be", "-ar", "16000", "-payload_type", "97"),
}
"""How ffmpeg makes each of them."""

DYNAMIC = 'rtp.codecs { "96" = "opus/48000/2", "97" = "L16/16000" }'
"""What a daemon has to know of their payload types."""


@dataclass(frozen=True)
class Heard:
    """What came of a clip.

    Attributes:
        first: seconds from the first sound of speech to its first text, a partial or a final.
        last: seconds from the end of the last sound to the last final. A file has one reply, and
            both are the seconds from the beginning of its upload to that.
    """

    text: str
    first: float | None
    last: float | None


Path = Callable[[Daemon, Clip, Settings], Awaitable[Heard]]


async def file(daemon: Daemon, clip: Clip, _: Settings) -> Heard:
    """Uploaded to `/api/v1/stt`."""
    start = time.perf_counter()
    reply = await ask(daemon.url, clip.path)
    took = time.perf_counter() - start
    return Heard(reply["text"], took, took)


async def live(daemon: Daemon, clip: Clip, settings: Settings) -> Heard:
    """Spoken into `/ws/v1/speech-to-text`."""
    sound = _with_pause(clip.pcm())
    told = await speak(daemon.url, sound)
    if told.refused:
        raise SystemExit(f"refused: {told.refused}; --at-once sets how many clips are")
    texts = [(at, message) for at, message in told.messages if message["event"] == "transcript"]
    finals = [(at, message["text"]) for at, message in texts if message["is_final"]]
    return _heard([at for at, _ in texts], finals, list(utterances(sound, settings)))


def call(codec: str) -> Path:
    """Sent as a call by ffmpeg, in a codec of `CODECS`. The clock is that of the session's start,
    which is announced up to 0.1 s after the first packet."""

    async def path(daemon: Daemon, clip: Clip, settings: Settings) -> Heard:
        ssrc = random.getrandbits(31)
        async with connect(f"{daemon.url}/ws/events?kind=rtp") as events:
            sending = asyncio.create_task(_send(clip, codec, ssrc, daemon.rtp))
            texts, finals = await _listen(events, f"/{ssrc:08x}")
            await sending
        plan = list(utterances(_with_pause(clip.pcm()), settings))
        return _heard(texts, finals, plan)

    return path


def _with_pause(pcm: Samples) -> Samples:
    return np.concatenate([pcm, np.zeros(round(PAUSE * SAMPLE_RATE), np.int16)])


def _heard(texts: list[float], finals: list[tuple[float, str]], plan: list[Utterance]) -> Heard:
    text = " ".join(said for _, said in finals)
    if not finals or not plan:
        return Heard(text, None, None)
    return Heard(text, texts[0] - plan[0].start, finals[-1][0] - plan[-1].spoken)


async def _send(clip: Clip, codec: str, ssrc: int, address: str) -> None:
    port = address.rpartition(":")[2]
    process = await asyncio.create_subprocess_exec(
        find_ffmpeg(),
        "-v",
        "error",
        "-re",
        "-i",
        str(clip.path),
        "-af",
        f"apad=pad_dur={PAUSE}",
        "-ac",
        "1",
        *CODECS[codec],
        "-ssrc",
        str(ssrc),
        "-f",
        "rtp",
        "-rtpflags",
        "send_bye",
        f"rtp://{address}?rtcpport={port}&pkt_size=652",
        stdout=asyncio.subprocess.DEVNULL,
    )
    if await process.wait():
        raise RuntimeError(f"ffmpeg cannot send {clip.path.name} as {codec}")


async def _listen(
    events: ClientConnection, call: str
) -> tuple[list[float], list[tuple[float, str]]]:
    """When texts of a call came, and its finals, until it is over."""
    start = 0.0
    texts: list[float] = []
    finals: list[tuple[float, str]] = []
    async for message in events:
        event = json.loads(message)
        if not str(event["call"]).endswith(call):
            continue
        at = time.perf_counter() - start
        match event["event"]:
            case "session_start":
                start = time.perf_counter()
            case "partial":
                texts.append(at)
            case "final":
                texts.append(at)
                finals.append((at, event["text"]))
            case "session_end":
                break
    return texts, finals
