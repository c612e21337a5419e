"""The protocols of the sockets as their clients speak them, for measuring what each costs."""

import base64
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from benchmarks.lines import Json, Line, websocket, wyoming
from coqui_server.media.samples import SAMPLE_RATE
from coqui_server.protocols.wyoming_events import Event


@dataclass(frozen=True)
class Adapter:
    """A protocol, as its clients speak it.

    Attributes:
        beside: the name of the one it is compared with.
        rate: of its sound, 16-bit PCM, in hertz.
        first, last: what is sent before the sound, and after it.
        message: the message that carries a piece of sound.
        over: whether a reply is the answer to `last`.
        line: connects to the daemon with these addresses, at `path`.
    """

    name: str
    beside: str
    path: str
    last: tuple[Json, ...]
    over: Callable[[Json], bool]
    rate: int = SAMPLE_RATE
    first: tuple[Json, ...] = ()
    message: Callable[[bytes], bytes | str] = bytes
    line: Callable[[Mapping[str, Any], str], AbstractAsyncContextManager[Line]] = websocket


@dataclass(frozen=True)
class File:
    """A protocol that takes a recording in one message.

    Attributes:
        beside: the name of the one it is compared with.
    """

    name: str
    beside: str
    path: str
    message: Callable[[bytes], bytes | str] = bytes


_FINALS = "native, finals only"


def _native(rate: int, interim: bool = True) -> Adapter:
    start = {"event": "start", "sample_rate": rate, "words": True, "interim": interim}
    name = f"native, {rate // 1000} kHz" if interim else _FINALS
    path, last = "/ws/v1/speech-to-text", ({"event": "stop"},)
    over = _is("event", "stopped")
    return Adapter(name, name, path, last, over, rate, (start,))


def _openai(rate: int) -> Adapter:
    # What the client sends after its commit is refused, once the commit is done.
    last = ({"type": "input_audio_buffer.commit"}, {"type": "end", "event_id": "end"})
    heard = {
        "format": {"type": "audio/pcm", "rate": rate},
        "turn_detection": {"type": "server_vad"},
    }
    update = {"type": "session.update", "session": {"audio": {"input": heard}}}
    name = f"OpenAI Realtime, {rate // 1000} kHz"
    path = "/v1/realtime?intent=transcription"
    beside = f"native, {rate // 1000} kHz"
    return Adapter(name, beside, path, last, _is_refused, rate, (update,), _appended)


def _is_refused(reply: Json) -> bool:
    return "error" in reply and reply["error"]["event_id"] == "end"


def _is(key: str, value: object) -> Callable[[Json], bool]:
    return lambda reply: reply.get(key) == value


def _appended(sound: bytes) -> str:
    coded = base64.b64encode(sound).decode()
    return json.dumps({"type": "input_audio_buffer.append", "audio": coded})


def _chunk(sound: bytes) -> bytes:
    form = {"rate": SAMPLE_RATE, "width": 2, "channels": 1, "timestamp": None}
    return bytes(Event("audio-chunk", form, sound))


_DEEPGRAM = f"/v1/listen?encoding=linear16&sample_rate={SAMPLE_RATE}&interim_results=true"
_CONFIG = {"config": {"sample_rate": SAMPLE_RATE}}

ADAPTERS = (
    _native(16_000),
    Adapter(
        "Deepgram", "native, 16 kHz", _DEEPGRAM, ({"type": "CloseStream"},), _is("type", "Metadata")
    ),
    Adapter("vosk", "native, 16 kHz", "/vosk", ({"eof": 1},), _is("", ""), first=(_CONFIG,)),
    Adapter("/ws", "native, 16 kHz", "/ws", ({"type": "stop"},), _is("type", "stopped")),
    _openai(16_000),
    _native(24_000),
    _openai(24_000),
    _native(16_000, interim=False),
    Adapter(
        "Wyoming",
        _FINALS,
        "",
        ({"type": "audio-stop"},),
        _is("type", "transcript"),
        message=_chunk,
        line=wyoming,
    ),
)


def _recording(sound: bytes) -> str:
    return json.dumps({"type": "audio", "audio": base64.b64encode(sound).decode()})


FILE = File("a file, binary", "a file, binary", "/api/v1/stt")
BASE64 = File("a file, base64 in JSON", "a file, binary", "/ws", _recording)
