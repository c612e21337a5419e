"""vosk-server's protocol, at `/` and `/vosk`, for the clients made for it.

Source: alphacep/vosk-server, websocket/asr_server.py. Client: `{"config": {...}}` (no reply),
binary PCM, `{"reset": 1}`, `{"eof": 1}`. Each binary message has exactly one reply, as lock-step
clients count on: a result that is ready by then, or the partial. `eof` and `reset` are answered by
the rest of the text, and after `eof` the server closes with 1000.

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
from coqui_server.protocols.intake import Intake, finishing
from coqui_server.protocols.live_connection import LiveConnection, parsed
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
    """The values of a client's config; unknown keys are ignored, as vosk-server does."""

    rate: float = _DEFAULT_RATE
    words: bool = True
    alternatives: int = 0
    phrases: tuple[str, ...] = ()
    engine: AnyEngine | None = None


@dataclass
class _Results:
    """The replies to come: each final once, else the partial."""

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
        """All finals that are not replied yet, as one result."""
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
    """Serve one stream. The protocol has no error message: a refusal is the reason of the close."""
    client = LiveConnection(connection, service)
    config = _Config()
    try:
        while _configure(config, message := await client.receive(), service):
            pass
        await _stream(client, principal, service, config, message)
        await client.close()
    except RequestError as refusal:
        await client.close(refusal.close_code, str(refusal))


async def _stream(
    client: LiveConnection,
    principal: Principal,
    service: Service,
    config: _Config,
    message: str | bytes,
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
            async with finishing(session, intake):
                while not _is(message, "eof"):
                    await _reply(client, session, intake, results, message)
                    message = await client.receive()
        except GoingAway:
            await client.send(results.rest())
            raise
    await client.send(results.rest())


async def _reply(
    client: LiveConnection,
    session: Session,
    intake: Intake,
    results: _Results,
    message: str | bytes,
) -> None:
    if isinstance(message, bytes):
        await intake.write(session, message)
        await client.send(results.next())
    elif _is(message, "reset"):
        await session.settle()
        await client.send(results.rest())
    elif not _is(message, "config"):
        raise BadRequest("a text message is a config, a reset or an eof")


def _is(message: str | bytes, key: str) -> bool:
    return isinstance(message, str) and key in parsed(message)


def _configure(config: _Config, message: str | bytes, service: Service) -> bool:
    """Take a config; False for any other message. A config after the first sound is ignored."""
    if isinstance(message, bytes) or not _is(message, "config"):
        return False
    values = parsed(message)["config"]
    if not isinstance(values, dict):
        raise BadRequest('"config" is an object')
    config.engine = service.engines.get(values.get("model"))
    phrases = values.get("phrase_list", [])
    if not isinstance(phrases, list) or not all(isinstance(phrase, str) for phrase in phrases):
        raise BadRequest("phrase_list is a list of texts")
    config.rate = _number("sample_rate", values.get("sample_rate", config.rate))
    alternatives = _number("max_alternatives", values.get("max_alternatives", 0))
    config.alternatives = max(0, min(int(alternatives), _MOST_ALTERNATIVES))
    config.words = bool(values.get("words", config.words))
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
    """Without double quotes, which Vosk never gives: FreeSWITCH's mod_vosk ignores any reply whose
    JSON has two of them side by side."""
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
    """The alternatives of one final; of several finals at once only the best text."""
    timed = [{key: value for key, value in word.items() if key != "conf"} for word in words]
    if len(finals) == 1 and finals[0].alternatives:
        read = [(_plain(other.text), other.confidence) for other in finals[0].alternatives]
    else:
        read = [(text, 1.0)]
    best, *others = [{"confidence": confidence, "text": text} for text, confidence in read]
    return [{**best, "result": timed} if timed else best, *others]
