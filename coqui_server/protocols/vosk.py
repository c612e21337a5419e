"""vosk-server's protocol, at `/` and `/vosk`, for the clients made for it.

Source: alphacep/vosk-server, websocket/asr_server.py. Client: `{"config": {...}}` (no reply),
binary PCM, `{"reset": 1}`, `{"eof": 1}`. Each binary message has exactly one reply, as lock-step
clients count on: a result that is ready by then, or the partial. `eof` and `reset` are answered by
what is left, and after `eof` the server closes with 1000.

    {"partial": "..."}
    {"result": [{"conf", "end", "start", "word"}], "text": "..."}
    {"alternatives": [{"confidence", "text", "result"?}]}            with max_alternatives
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.server import ServerConnection

from coqui_server.engines.base import AnyEngine, Options
from coqui_server.exceptions import BadRequest, GoingAway, RequestError
from coqui_server.principal import Principal
from coqui_server.protocols.intake import Intake, heard_out
from coqui_server.protocols.line import Line, parsed
from coqui_server.transcription.events import Event, Final, Partial
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.service import Service
from coqui_server.transcription.session import Session
from coqui_transcript.transcript import Segment, Word

_DEFAULT_RATE = 8000
"""Hertz when no config says otherwise; FreeSWITCH and Asterisk never say."""

_MOST_ALTERNATIVES = 20


@dataclass
class _Config:
    """What a client configured; keys we do not know are passed over, as vosk-server does."""

    rate: float = _DEFAULT_RATE
    words: bool = True
    alternatives: int = 0
    phrases: tuple[str, ...] = ()
    engine: AnyEngine | None = None


@dataclass
class _Results:
    """What is to be replied: finals once each, else the partial."""

    config: _Config
    finals: deque[Segment] = field(default_factory=deque)
    partial: str = ""

    async def __call__(self, event: Event) -> None:
        match event:
            case Partial():
                self.partial = _plain(event.text)
            case Final():
                self.partial = ""
                self.finals.append(event.segment)

    def next(self) -> dict[str, Any]:
        """The reply to a binary message."""
        return self._result([self.finals.popleft()]) if self.finals else {"partial": self.partial}

    def rest(self) -> dict[str, Any]:
        """All that was not replied yet, as one result."""
        finals, self.partial = list(self.finals), ""
        self.finals.clear()
        return self._result(finals)

    def _result(self, finals: Sequence[Segment]) -> dict[str, Any]:
        text = " ".join(_plain(final.text) for final in finals)
        words = [_word(word) for final in finals for word in final.words]
        if self.config.alternatives:
            return {"alternatives": _alternatives(finals, text, words if self.config.words else [])}
        return {"result": words, "text": text} if words and self.config.words else {"text": text}


async def serve(connection: ServerConnection, principal: Principal, service: Service) -> None:
    """Serve one stream. A refusal has no form of its own here: it is the reason of the close."""
    line = Line(connection, service)
    config = _Config()
    try:
        while _configure(config, message := await line.receive(), service):
            pass
        await _stream(line, principal, service, config, message)
        await line.close()
    except RequestError as refusal:
        await line.close(refusal.close_code, str(refusal))


async def _stream(
    line: Line, principal: Principal, service: Service, config: _Config, message: str | bytes
) -> None:
    intake, results = Intake(rate=config.rate), _Results(config)
    options = Options(alternatives=config.alternatives, phrases=config.phrases)
    request = SessionRequest(
        "live",
        engine=config.engine,
        options=options,
        interim=service.settings.partials.pace,
        owner=principal.user,
        sinks=(results,),
    )
    async with service.session(request) as session:
        try:
            async with heard_out(session, intake):
                while not _is(message, "eof"):
                    await _reply(line, session, intake, results, message)
                    message = await line.receive()
        except GoingAway:
            await line.send(results.rest())
            raise
    await line.send(results.rest())


async def _reply(
    line: Line, session: Session, intake: Intake, results: _Results, message: str | bytes
) -> None:
    if isinstance(message, bytes):
        await intake.hear(session, message)
        await line.send(results.next())
    elif _is(message, "reset"):
        await session.settle()
        await line.send(results.rest())
    elif not _is(message, "config"):
        raise BadRequest("a text message is a config, a reset or an eof")


def _is(message: str | bytes, key: str) -> bool:
    return isinstance(message, str) and key in parsed(message)


def _configure(config: _Config, message: str | bytes, service: Service) -> bool:
    """Take a config; False for any other message. What comes after the first sound is too late."""
    if isinstance(message, bytes) or not _is(message, "config"):
        return False
    wanted = parsed(message)["config"]
    if not isinstance(wanted, dict):
        raise BadRequest('"config" is an object')
    config.engine = service.engines.get(wanted.get("model"))
    phrases = wanted.get("phrase_list", [])
    if not isinstance(phrases, list) or not all(isinstance(phrase, str) for phrase in phrases):
        raise BadRequest("phrase_list is a list of texts")
    config.rate = _number("sample_rate", wanted.get("sample_rate", config.rate))
    alternatives = _number("max_alternatives", wanted.get("max_alternatives", 0))
    config.alternatives = max(0, min(int(alternatives), _MOST_ALTERNATIVES))
    config.words = bool(wanted.get("words", config.words))
    config.phrases = tuple(phrases)
    return True


def _number(name: str, value: Any) -> float:
    """A number, which some clients send as a text."""
    try:
        number = float(value)
        int(number)
    except (TypeError, ValueError, OverflowError) as wrong:
        raise BadRequest(f"{name} is a number") from wrong
    return number


def _plain(text: str) -> str:
    """Without double quotes, which Vosk never says: FreeSWITCH's mod_vosk takes any reply in whose
    JSON two of them touch for an empty one."""
    return text.replace('"', "")


def _word(word: Word) -> dict[str, Any]:
    return {
        "conf": 1.0 if word.confidence is None else round(word.confidence, 6),
        "end": round(word.end, 6),
        "start": round(word.start, 6),
        "word": _plain(word.text),
    }


def _alternatives(
    finals: Sequence[Segment], text: str, words: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Other readings of one final; of several at once only what was settled on."""
    timed = [{key: value for key, value in word.items() if key != "conf"} for word in words]
    if len(finals) == 1 and finals[0].alternatives:
        read = [(_plain(other.text), other.confidence) for other in finals[0].alternatives]
    else:
        read = [(text, 1.0)]
    best, *others = [{"confidence": confidence, "text": text} for text, confidence in read]
    return [{**best, "result": timed} if timed else best, *others]
