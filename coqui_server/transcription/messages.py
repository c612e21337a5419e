"""Events as the JSON that leaves the daemon: event sockets, webhooks and replies share it.

Times are seconds with three decimals. Every event has `event`, `session`, `kind`, `call`,
`label` and `owner`; the other keys depend on the event.
"""

from typing import Any

from coqui_server.transcription.events import (
    Dtmf,
    Event,
    Final,
    Partial,
    SessionEnded,
    SessionStarted,
    SpeakersCorrected,
    UtteranceEnd,
)
from coqui_transcript.mapping import segment_to_json, warnings_to_json

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


def corrected(event: SpeakersCorrected) -> list[Message]:
    """The finals that are somebody else's, by their number in the session, from 0."""
    return [
        {"segment": number, "start": round(segment.start, 3), "speaker": segment.speaker}
        for number, segment in event.segments.items()
    ]


def _body(event: Event) -> tuple[str, Message]:
    match event:
        case SessionStarted():
            return "session_start", {"engine": event.engine}
        case Partial():
            return "partial", {"text": event.text, "start": round(event.start, 3)}
        case Final():
            return "final", segment_to_json(event.segment)
        case SpeakersCorrected():
            return "speakers", {"segments": corrected(event)}
        case UtteranceEnd():
            return "utterance_end", {"end": round(event.end, 3)}
        case Dtmf():
            return "dtmf", {"digit": event.digit, "start": round(event.start, 3)}
        case SessionEnded():
            return "session_end", {
                "duration": round(event.duration, 3),
                "error": event.error,
                "statistics": dict(event.statistics),
                "warnings": warnings_to_json(event.warnings),
            }
