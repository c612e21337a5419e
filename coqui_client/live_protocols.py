"""The daemon's live protocols: how each begins and ends, and what its messages mean.

Messages in, events out; `coqui_client.live` sends and receives them. A final has the fields of a
segment in the reply to a whole file.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from coqui_client.file_protocols import JSON_PATH
from coqui_client.reply import decoded, refusal
from coqui_client.sound import LIVE


@dataclass(frozen=True)
class Partial:
    """The text of the open utterance so far; may be empty."""

    text: str


@dataclass(frozen=True)
class Final:
    """The text of an utterance: `text`, and `start`, `end`, `words`, `speaker` where a protocol has
    them."""

    fields: Mapping[str, Any]

    @property
    def text(self) -> str:
        return str(self.fields.get("text", ""))

    @property
    def line(self) -> str:
        """The text as people read it: after its speaker's name, if there is one."""
        speaker = self.fields.get("speaker")
        return f"{speaker}: {self.text}" if speaker else self.text


@dataclass(frozen=True)
class Corrected:
    """The speakers of earlier finals, by their number from 0; None where nobody is known."""

    speakers: Mapping[int, str | None]


@dataclass(frozen=True)
class Ended:
    """The session is over; `reply` has further fields for the reply."""

    reply: Mapping[str, Any] = field(default_factory=dict)


Event = Partial | Final | Corrected | Ended


class LiveProtocol(Protocol):
    """One live protocol; the sound between `opening` and `closing` is binary, `sound.LIVE`.

    Attributes:
        path: where the daemon serves it.
        closing: the message that ends the sound.
        hangs_up: the end is not an event but a close with 1000.
    """

    path: str
    closing: str
    hangs_up: bool

    def opening(self, interim: bool) -> str | None:
        """The message before the sound; without `interim` no partials are needed."""

    def read(self, message: str | bytes) -> Event | None:
        """The event of a message; None for one without an event.

        Raises:
            RefusedError: it is an error; BusyError if there is no room now.
            ReplyError: it is no JSON object.
        """


class Native:
    """`/ws/v1/speech-to-text`, the daemon's own protocol."""

    path = "/ws/v1/speech-to-text"
    closing = json.dumps({"event": "stop"})
    hangs_up = False

    def opening(self, interim: bool) -> str:
        start = {"sample_rate": LIVE.rate, "encoding": "linear16", "interim": interim}
        return json.dumps({"event": "start", **start, "words": True})

    def read(self, message: str | bytes) -> Event | None:
        event = decoded(message)
        match event.pop("event", None):
            case "transcript" if event.pop("is_final", False):
                return Final(event)
            case "transcript":
                return Partial(str(event.get("text", "")))
            case "speakers":
                return _corrected(event)
            case "stopped":
                return Ended({"session": event.get("session_id")})
            case "error":
                raise refusal(event)
        return None


class Vosk:
    """`/vosk`, the protocol of vosk-server (alphacep/vosk-server, websocket/asr_server.py).

    There is a reply to each message of sound, but nothing waits for it: otherwise the client would
    be late whenever the daemon is.
    """

    path = "/vosk"
    closing = json.dumps({"eof": 1})
    hangs_up = True

    def opening(self, interim: bool) -> str:
        return json.dumps({"config": {"sample_rate": LIVE.rate, "words": True}})

    def read(self, message: str | bytes) -> Event | None:
        result = decoded(message)
        if "partial" in result:
            return Partial(str(result["partial"]))
        # After silence, and at the end, a result may be empty.
        return Final(_of_vosk(result)) if result.get("text") else None


class Json:
    """`/ws`, raw sound beside recordings in JSON."""

    path = JSON_PATH
    closing = json.dumps({"type": "stop"})
    hangs_up = False

    def opening(self, interim: bool) -> None:
        return None

    def read(self, message: str | bytes) -> Event | None:
        event = decoded(message)
        match event.pop("type", None):
            case "partial":
                return Partial(str(event.get("text", "")))
            case "final":
                return Final(event)
            case "speakers":
                return _corrected(event)
            case "stopped":
                return Ended()
            case "error":
                raise refusal(event)
        return None


LIVE_PROTOCOLS: Mapping[str, LiveProtocol] = {"native": Native(), "vosk": Vosk(), "json": Json()}
"""The live protocols by their names on the command line."""


def _of_vosk(result: Mapping[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {"text": str(result["text"])}
    words = [word for word in _objects(result.get("result")) if {"start", "end"} <= set(word)]
    if words:
        fields |= {"start": words[0]["start"], "end": words[-1]["end"]}
        fields["words"] = [
            {
                "word": str(word.get("word", "")),
                "start": word["start"],
                "end": word["end"],
                "confidence": word.get("conf"),
            }
            for word in words
        ]
    return fields


def _corrected(event: Mapping[str, Any]) -> Corrected:
    said = _objects(event.get("segments"))
    numbered = [one for one in said if isinstance(one.get("segment"), int)]
    return Corrected({one["segment"]: one.get("speaker") for one in numbered})


def _objects(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
