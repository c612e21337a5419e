"""`/ws/v1/speech-to-text`: the project's own live protocol.

Client: `{"event": "start"}`, binary sound, `{"event": "stop"}`; then perhaps another start. A start
may have `sample_rate`, `encoding`, `language`, `engine`, `interim` (partials, true), `words`
(false), `phrases` (the only ones, if the engine can be held to them), and the wishes of any
session, `format`, `speakers` and `terms` (`transcription.wishes`), which the address may have, too:
`?format=verbatim`. Server:

    {"event": "started", "session_id"}
    {"event": "transcript", "text", "is_final", "start", "end"?, "speaker"?, "confidence"?,
     "words"?}
    {"event": "utterance_end", "text": ""}
    {"event": "speakers", "segments": [{"segment", "start", "speaker"}]}
    {"event": "stopped", "message": "STT session ended.", "session_id", "full_transcription"}
    {"event": "error", "message", "code"}

`speakers` comes at the end, if some finals turn out to be somebody else's; `segment` counts them
from 0. After an error about one message the socket goes on; it is closed when the session cannot.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.server import ServerConnection

from coqui_server.engines import Engines
from coqui_server.engines.base import AnyEngine, Options
from coqui_server.exceptions import BadRequest, RequestError
from coqui_server.principal import Principal
from coqui_server.protocols.intake import Intake, finishing
from coqui_server.protocols.live_connection import LiveConnection, parsed
from coqui_server.transcription.events import (
    Event,
    Final,
    Partial,
    SpeakersCorrected,
    UtteranceEnd,
)
from coqui_server.transcription.messages import corrected
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.service import Service
from coqui_server.transcription.session import Session
from coqui_server.transcription.wishes import NAMES, Wishes
from coqui_transcript.mapping import segment_to_json

_START_KEYS = (
    "event",
    "sample_rate",
    "encoding",
    "language",
    "engine",
    "interim",
    "words",
    "phrases",
    *NAMES,
)


@dataclass(frozen=True)
class _Start:
    """The values of a start message."""

    intake: Intake
    interim: bool
    words: bool
    engine: AnyEngine
    options: Options
    wishes: Wishes


async def serve(connection: ServerConnection, principal: Principal, service: Service) -> None:
    """Serve one session after another until the client leaves."""
    async with LiveConnection(connection, service) as client:
        try:
            while True:
                try:
                    message = await client.receive()
                    start = _started(message, client.query, service.engines)
                    await _session(client, principal, service, start)
                except BadRequest as wrong:
                    await client.send(_error(wrong))
        except RequestError as refusal:
            await client.send(_error(refusal))
            await client.close(refusal.close_code)


def _started(message: str | bytes, query: Mapping[str, str], engines: Engines) -> _Start:
    if isinstance(message, bytes):
        raise BadRequest('sound came before {"event": "start"}')
    values = parsed(message)
    match values.get("event"):
        case "start":
            return _start(values, query, engines)
        case "stop":
            raise BadRequest("there is nothing to stop: no session was started")
    raise BadRequest('"event" is start or stop')


def _start(values: dict[str, Any], query: Mapping[str, str], engines: Engines) -> _Start:
    if unknown := set(values) - set(_START_KEYS):
        raise BadRequest(f"start takes {', '.join(_START_KEYS[1:])}, not {', '.join(unknown)}")
    phrases = values.get("phrases", [])
    if not isinstance(phrases, list) or not all(isinstance(phrase, str) for phrase in phrases):
        raise BadRequest("phrases is a list of texts")
    for name, default in (("interim", True), ("words", False)):
        if not isinstance(values.setdefault(name, default), bool):
            raise BadRequest(f"{name} is true or false")
    language = values.get("language")
    engine = engines.get(values.get("engine"), language)
    intake = Intake(values.get("encoding", "linear16"), values.get("sample_rate"))
    wishes = Wishes.of(query, values)
    options = Options(phrases=tuple(phrases), terms=wishes.terms, language=language)
    return _Start(intake, values["interim"], values["words"], engine, options, wishes)


async def _session(
    client: LiveConnection, principal: Principal, service: Service, start: _Start
) -> None:
    async def tell(event: Event) -> None:
        if (message := _message(event, start)) is not None:
            await client.send(message)

    interim = service.settings.partials.pace if start.interim else None
    request = SessionRequest(
        "live",
        engine=start.engine,
        options=start.options,
        format=start.wishes.format,
        speakers=start.wishes.speakers,
        interim=interim,
        owner=principal.user,
        sinks=(tell,),
    )
    async with service.session(request) as session:
        await client.send({"event": "started", "session_id": session.id})
        async with finishing(session, start.intake):
            await _listen(client, session, start.intake)
    await client.send(
        {
            "event": "stopped",
            "message": "STT session ended.",
            "session_id": session.id,
            "full_transcription": session.transcript.text,
        }
    )


async def _listen(client: LiveConnection, session: Session, intake: Intake) -> None:
    """Take sound until the stop."""
    while True:
        message = await client.receive()
        if isinstance(message, bytes):
            await intake.write(session, message)
            continue
        try:
            event = parsed(message).get("event")
            if event == "stop":
                return
            started = event == "start"
            raise BadRequest("the session has started already" if started else '"event" is stop')
        except BadRequest as wrong:
            await client.send(_error(wrong))


def _message(event: Event, options: _Start) -> dict[str, Any] | None:
    match event:
        case Partial(_, text, start):
            return {
                "event": "transcript",
                "text": text,
                "is_final": False,
                "start": round(start, 3),
            }
        case Final():
            body = segment_to_json(event.segment)
            if not options.words:
                body.pop("words", None)
            return {"event": "transcript", "is_final": True, **body}
        case SpeakersCorrected():
            return {"event": "speakers", "segments": corrected(event)}
        case UtteranceEnd():
            return {"event": "utterance_end", "text": ""}
    return None


def _error(refusal: RequestError) -> dict[str, Any]:
    return {"event": "error", "message": str(refusal), "code": refusal.code}
