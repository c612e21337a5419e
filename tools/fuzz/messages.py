"""Messages of clients of each socket protocol, good, broken and out of order."""

import base64
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tools.daemon import ROOT
from tools.fuzz.mutation import mutated, text_of

_SOUND = (ROOT / "samples" / "telephone.wav").read_bytes()
_FILE = _SOUND[:2000]
_SPOKEN, _HISS = _SOUND[20_000:22_000], bytes(range(200))
_CHUNK = 640
_CLICK = 32
"""Bytes."""

_LONGEST = 40
"""Messages in a conversation."""


@dataclass(frozen=True)
class Message:
    """A frame to send; `text` frames need not be valid UTF-8."""

    data: bytes
    text: bool


@dataclass(frozen=True)
class Protocol:
    """A path, and what its clients send.

    Attributes:
        commands: good JSON messages.
        longest: messages in one conversation, at most.
        last: the message after which the daemon answers for the last time.
        answered: whether a reply is the answer to `last`; None where the daemon closes.
    """

    path: str
    commands: tuple[dict[str, Any], ...]
    last: dict[str, Any] | None = None
    answered: Callable[[Mapping[str, Any]], bool] | None = None
    longest: int = _LONGEST


_HEARD = {
    "format": {"type": "audio/pcm", "rate": 8000},
    "transcription": {"model": "whisper-1", "language": "en", "keywords": ["a"], "delay": "low"},
    "turn_detection": {"type": "server_vad", "threshold": 0.5, "silence_duration_ms": 200},
    "noise_reduction": {"type": "near_field"},
}
_OLDER = {
    "input_audio_format": "g711_ulaw",
    "input_audio_transcription": {"model": "whisper-1", "prompt": "a"},
    "turn_detection": None,
}

PROTOCOLS = {
    "vosk": Protocol(
        "/vosk",
        (
            {"config": {"sample_rate": 8000, "max_alternatives": 3, "words": True}},
            {"config": {"phrase_list": ["one", "two"], "model": "moonshine"}},
            {"reset": 1},
        ),
        last={"eof": 1},
    ),
    "json": Protocol(
        "/ws",
        (
            {"type": "audio", "audio": base64.b64encode(_FILE).decode()},
            {"type": "audio", "audio": "no base64"},
            {"type": "stop"},
        ),
    ),
    "speech-to-text": Protocol(
        "/ws/v1/speech-to-text",
        (
            {"event": "start", "sample_rate": 8000, "encoding": "linear16", "interim": True},
            {"event": "start", "words": True, "phrases": ["one"], "language": "en"},
            {"event": "stop"},
        ),
    ),
    "events": Protocol(
        "/ws/events?kind=rtp",
        (
            {"command": "list_calls", "request": 1},
            {"command": "reserve_call", "id": "a", "codec": "PCMU/8000", "legs": ["b", "c"]},
            {"command": "release_call", "id": "a"},
            {"command": "name_stream", "source": "192.0.2.1:4000", "call": "a", "label": "b"},
            {"command": "name_stream", "ssrc": 7, "codec": "L16/16000"},
        ),
        last={"command": "list_calls", "request": "the last"},
        answered=lambda reply: reply.get("request") == "the last",
    ),
    "deepgram": Protocol(
        "/v1/listen?encoding=linear16&sample_rate=8000&interim_results=true&vad_events=true",
        ({"type": "KeepAlive"}, {"type": "Finalize", "channel": 0}),
        last={"type": "CloseStream"},
    ),
    "openai": Protocol(
        "/v1/realtime?intent=transcription",
        (
            {"type": "session.update", "session": {"audio": {"input": _HEARD}, "include": ["a"]}},
            {"type": "transcription_session.update", "session": _OLDER},
            {"type": "input_audio_buffer.append", "audio": base64.b64encode(_SPOKEN).decode()},
            {"type": "input_audio_buffer.append", "audio": base64.b64encode(_HISS).decode()},
            {"type": "input_audio_buffer.commit", "event_id": "a"},
            {"type": "input_audio_buffer.clear"},
        ),
        last={"type": "last", "event_id": "the last"},
        answered=lambda reply: reply.get("error", {}).get("event_id") == "the last",
    ),
    "file": Protocol("/api/v1/stt?engine=moonshine", (), longest=1),
}
"""By their names on the command line."""


def conversations(protocol: Protocol, chance: random.Random) -> Iterator[list[Message]]:
    """Conversations without end."""
    while True:
        yield [_message(protocol, chance) for _ in range(chance.randint(1, protocol.longest))]


def _message(protocol: Protocol, chance: random.Random) -> Message:
    if not protocol.commands:
        return Message(mutated(_FILE, chance), text=chance.random() < 0.5)
    if chance.random() < 0.4:
        return Message(text_of(chance.choice(protocol.commands), chance), text=True)
    return Message(_sound(chance), text=False)


def _sound(chance: random.Random) -> bytes:
    """Silence, a click or, seldom, some speech. The recogniser is not what is tested here, and its
    work would take nearly all of the time."""
    if chance.random() < 0.01:
        start = chance.randrange(len(_SOUND) - _CHUNK)
        return _SOUND[start : start + _CHUNK]
    if chance.random() < 0.5:
        return bytes(chance.randrange(_CHUNK))
    return chance.randbytes(chance.randrange(_CLICK))
