"""vosk-server's protocol, at `/` and `/vosk`, for the clients made for it.

Source: alphacep/vosk-server, websocket/asr_server.py. Client: `{"config": {...}}` (no reply),
binary PCM, `{"reset": 1}`, `{"eof": 1}`. Each binary message has exactly one reply, as lock-step
clients count on: the result of an utterance that has ended, or the partial. While sound comes
faster than it is spoken, a reply waits until the chunk is decoded. A result that is ready while the
client sends nothing is sent at once, as the reply to its next message. `eof` and `reset` are
answered by the rest of the text, and after `eof` the server closes with 1000. Engines that cannot
be held to a `phrase_list` favour it. Config and address may have the wishes of any session:
`format`, `speakers` and `terms` (`transcription.wishes`). The text is verbatim, unless one of them
or the setting says readable.

    {"partial": "..."}
    {"result": [{"conf", "end", "start", "word"}], "text": "..."}
    {"alternatives": [{"confidence", "text", "result"?}]}            with max_alternatives
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.server import ServerConnection

from coqui_server.engines.base import AnyEngine, Options
from coqui_server.exceptions import BadRequest, NotAudio, RequestError, ServerFault
from coqui_server.principal import Principal
from coqui_server.protocols.intake import Intake, finishing
from coqui_server.protocols.live_connection import LiveConnection, parsed
from coqui_server.transcription.events import Event, Final, Partial
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.service import Service
from coqui_server.transcription.session import Session
from coqui_server.transcription.wishes import NOTHING, Wishes
from coqui_transcript.transcript import Segment, Word

_DEFAULT_RATE = 8000
"""Hertz when no config says otherwise; FreeSWITCH and Asterisk never say."""

_MOST_ALTERNATIVES = 20

_AHEAD = 0.5
"""Seconds. A client whose sound is further ahead of the clock than this does not speak now, and can
wait for its replies."""


@dataclass
class _Config:
    """The values of a client's config; unknown keys are ignored, as vosk-server does."""

    rate: float = _DEFAULT_RATE
    words: bool = True
    alternatives: int = 0
    phrases: tuple[str, ...] = ()
    engine: AnyEngine | None = None
    wishes: Wishes = NOTHING


class _Replies:
    """Sends exactly one reply for each binary message: a final once, else the partial.

    A sink of the session. All finals are sent, though a reply that was sent early takes the place
    of the next one.
    """

    def __init__(self, client: LiveConnection, config: _Config) -> None:
        self._client = client
        self._config = config
        self._finals: deque[Segment] = deque()
        self._partial = ""
        self._clients_turn = False
        self._early = False

    async def __call__(self, event: Event) -> None:
        match event:
            case Partial():
                self._partial = _plain(event.text)
            case Final():
                self._partial = ""
                self._finals.append(event.segment)
                if self._clients_turn:
                    await self._send_early()

    @property
    def unsent(self) -> bool:
        """Whether there are finals that the client has not got."""
        return bool(self._finals)

    async def receive(self) -> str | bytes:
        """The client's next message; results that come meanwhile are sent."""
        self._clients_turn = True
        try:
            await self._send_early()
            return await self._client.receive()
        finally:
            self._clients_turn = False

    async def send(self) -> None:
        """The reply to a binary message, unless it was sent early."""
        if not self._early:
            message = self._next_result() if self._finals else {"partial": self._partial}
            await self._client.send(message)
        self._early = False

    async def send_rest(self) -> None:
        """All finals that are not sent yet, as one result."""
        finals, self._partial, self._early = list(self._finals), "", False
        self._finals.clear()
        await self._client.send(self._result(finals))

    async def _send_early(self) -> None:
        if self._finals and not self._early:
            self._early = True
            await self._client.send(self._next_result())

    def _next_result(self) -> dict[str, Any]:
        return self._result([self._finals.popleft()])

    def _result(self, finals: Sequence[Segment]) -> dict[str, Any]:
        text = " ".join(_plain(final.text) for final in finals)
        words = [_word(word) for final in finals for word in final.words]
        if self._config.alternatives:
            words = words if self._config.words else []
            return {"alternatives": _alternatives(finals, text, words)}
        return {"result": words, "text": text} if words and self._config.words else {"text": text}


async def serve(connection: ServerConnection, principal: Principal, service: Service) -> None:
    """Serve one stream. The protocol has no error message: a refusal is the reason of the close."""
    config = _Config()
    async with LiveConnection(connection, service) as client:
        try:
            config.wishes = Wishes.of(client.query)
            while _configure(config, message := await client.receive(), client.query, service):
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
    intake, replies = Intake(rate=config.rate), _Replies(client, config)
    request = SessionRequest(
        "live",
        engine=config.engine,
        options=Options(config.alternatives, config.phrases, config.wishes.terms),
        format=config.wishes.format or service.settings.text.vosk,
        speakers=config.wishes.speakers,
        interim=service.settings.partials.pace,
        owner=principal.user,
        sinks=(replies,),
    )
    async with service.session(request) as session:
        try:
            async with finishing(session, intake):
                while not _is(message, "eof"):
                    await _reply(session, intake, replies, message)
                    message = await replies.receive()
        except (ServerFault, NotAudio):
            raise
        except RequestError:
            if replies.unsent:
                await replies.send_rest()
            raise
    await replies.send_rest()


async def _reply(session: Session, intake: Intake, replies: _Replies, message: str | bytes) -> None:
    if isinstance(message, bytes):
        await intake.write(session, message)
        if session.ahead > _AHEAD:
            await session.catch_up()
        await replies.send()
    elif _is(message, "reset"):
        await session.settle()
        await replies.send_rest()
    elif not _is(message, "config"):
        raise BadRequest("a text message is a config, a reset or an eof")


def _is(message: str | bytes, key: str) -> bool:
    return isinstance(message, str) and key in parsed(message)


def _configure(
    config: _Config, message: str | bytes, query: Mapping[str, str], service: Service
) -> bool:
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
    config.wishes = Wishes.of(query, values)
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
