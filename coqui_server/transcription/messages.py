"""Events as the JSON that leaves the daemon: event sockets, webhooks and replies share it.

Times are seconds with three decimals. Every event has `event`, `session`, `kind`, `call`,
`label` and `owner`; what else it has stands in `message`.
"""

from typing import Any

from coqui_server.engines.base import Word
from coqui_server.transcription.events import (
    Dtmf,
    Event,
    Final,
    Partial,
    SessionEnded,
    SessionStarted,
    UtteranceEnd,
)

Message = dict[str, Any]


def message(event: Event) -> Message:
    """The JSON object of any event."""
    source = event.source
    name, body = _body(event)
    return {
        "event": name,
        "session": source.session,
        "kind": source.kind,
        "call": source.call,
        "label": source.label,
        "owner": source.owner,
        **body,
    }


def segment(final: Final) -> Message:
    """What was said in one utterance, and when."""
    said: Message = {
        "start": round(final.start, 3),
        "end": round(final.end, 3),
        "text": final.text,
    }
    if final.confidence is not None:
        said["confidence"] = round(final.confidence, 3)
    if final.alternatives:
        said["alternatives"] = [
            {"text": other.text, "confidence": round(other.confidence, 3)}
            for other in final.alternatives
        ]
    if final.words:
        said["words"] = [_word(word) for word in final.words]
    return said


def _body(event: Event) -> tuple[str, Message]:
    match event:
        case SessionStarted():
            return "session_start", {"engine": event.engine}
        case Partial():
            return "partial", {"text": event.text, "start": round(event.start, 3)}
        case Final():
            return "final", segment(event)
        case UtteranceEnd():
            return "utterance_end", {"end": round(event.end, 3)}
        case Dtmf():
            return "dtmf", {"digit": event.digit, "start": round(event.start, 3)}
        case SessionEnded():
            return "session_end", {
                "duration": round(event.duration, 3),
                "error": event.error,
                "statistics": dict(event.statistics),
            }


def _word(word: Word) -> Message:
    shown: Message = {"word": word.text, "start": round(word.start, 3), "end": round(word.end, 3)}
    if word.confidence is not None:
        shown["confidence"] = round(word.confidence, 3)
    return shown
