"""`/ws/v1/speech-to-text`: start, speak, read along, stop. The project's own live protocol.

Client: `{"event": "start"}`, binary sound, `{"event": "stop"}`; then perhaps another start. A start
may have `sample_rate`, `encoding`, `language`, `engine`, `interim` (partials, true), `words`
(false) and `phrases`. Server:

    {"event": "started", "session_id"}
    {"event": "transcript", "text", "is_final", "start", "end"?, "confidence"?, "words"?}
    {"event": "utterance_end", "text": ""}
    {"event": "stopped", "message": "STT session ended.", "session_id", "full_transcription"}
    {"event": "error", "message", "code"}

After an error about one message the socket goes on; it is closed when the session cannot.
"""

from dataclasses import dataclass
from typing import Any

from websockets.asyncio.server import ServerConnection

from coqui_server.engines import Engines
from coqui_server.engines.base import AnyEngine, Options
from coqui_server.exceptions import BadRequest, RequestError
from coqui_server.principal import Principal
from coqui_server.protocols.intake import Intake, heard_out
from coqui_server.protocols.line import Line, parsed
from coqui_server.transcription.events import Event, Final, Partial, UtteranceEnd
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.service import Service
from coqui_server.transcription.session import Session
from coqui_transcript.mapping import segment_to_json

_STARTING = (
    *("event", "sample_rate", "encoding", "language", "engine", "interim", "words", "phrases"),
)


@dataclass(frozen=True)
class _Wishes:
    """What a start asks for."""

    intake: Intake
    interim: bool
    words: bool
    engine: AnyEngine
    options: Options


async def serve(connection: ServerConnection, principal: Principal, service: Service) -> None:
    """Serve one session after another until the client leaves."""
    line = Line(connection, service)
    try:
        while True:
            try:
                message = await line.receive()
                await _session(line, principal, service, _started(message, service.engines))
            except BadRequest as wrong:
                await line.send(_error(wrong))
    except RequestError as refusal:
        await line.send(_error(refusal))
        await line.close(refusal.close_code)


def _started(message: str | bytes, engines: Engines) -> _Wishes:
    if isinstance(message, bytes):
        raise BadRequest('sound came before {"event": "start"}')
    start = parsed(message)
    match start.get("event"):
        case "start":
            return _wishes(start, engines)
        case "stop":
            raise BadRequest("there is nothing to stop: no session was started")
    raise BadRequest('"event" is start or stop')


def _wishes(start: dict[str, Any], engines: Engines) -> _Wishes:
    if unknown := set(start) - set(_STARTING):
        raise BadRequest(f"start takes {', '.join(_STARTING[1:])}, not {', '.join(unknown)}")
    phrases = start.get("phrases", [])
    if not isinstance(phrases, list) or not all(isinstance(phrase, str) for phrase in phrases):
        raise BadRequest("phrases is a list of texts")
    for name, default in (("interim", True), ("words", False)):
        if not isinstance(start.setdefault(name, default), bool):
            raise BadRequest(f"{name} is true or false")
    language = start.get("language")
    engine = engines.get(start.get("engine"), language)
    intake = Intake(start.get("encoding", "linear16"), start.get("sample_rate"))
    options = Options(phrases=tuple(phrases), language=language)
    return _Wishes(intake, start["interim"], start["words"], engine, options)


async def _session(line: Line, principal: Principal, service: Service, wishes: _Wishes) -> None:
    async def tell(event: Event) -> None:
        if (message := _message(event, wishes)) is not None:
            await line.send(message)

    interim = service.settings.partials.pace if wishes.interim else None
    request = SessionRequest(
        "live",
        engine=wishes.engine,
        options=wishes.options,
        interim=interim,
        owner=principal.user,
        sinks=(tell,),
    )
    async with service.session(request) as session:
        await line.send({"event": "started", "session_id": session.id})
        async with heard_out(session, wishes.intake):
            await _listen(line, session, wishes.intake)
    await line.send(
        {
            "event": "stopped",
            "message": "STT session ended.",
            "session_id": session.id,
            "full_transcription": session.transcript.text,
        }
    )


async def _listen(line: Line, session: Session, intake: Intake) -> None:
    """Take sound until the stop."""
    while True:
        message = await line.receive()
        if isinstance(message, bytes):
            await intake.hear(session, message)
            continue
        try:
            event = parsed(message).get("event")
            if event == "stop":
                return
            started = event == "start"
            raise BadRequest("the session has started already" if started else '"event" is stop')
        except BadRequest as wrong:
            await line.send(_error(wrong))


def _message(event: Event, wishes: _Wishes) -> dict[str, Any] | None:
    match event:
        case Partial(_, text, start):
            return {
                "event": "transcript",
                "text": text,
                "is_final": False,
                "start": round(start, 3),
            }
        case Final():
            said = segment_to_json(event.segment)
            if not wishes.words:
                said.pop("words", None)
            return {"event": "transcript", "is_final": True, **said}
        case UtteranceEnd():
            return {"event": "utterance_end", "text": ""}
    return None


def _error(refusal: RequestError) -> dict[str, Any]:
    return {"event": "error", "message": str(refusal), "code": refusal.code}
