"""Wyoming, the protocol of Home Assistant's voice services, over TCP.

Source: https://github.com/OHF-Voice/wyoming, README.md, and its client, which decides where both
disagree. Client: `describe`, `ping`, and for each utterance `transcribe` (`name`?, `language`?,
`transcript_names`?, `transcript_terms`?), `audio-start`, `audio-chunk` (`rate`, `width`,
`channels`, with samples as the payload) and `audio-stop`. Server:

    info {"asr": [one program, whose models are our engines]}
    pong {"text"?}
    transcript-start {"language"?}
    transcript-chunk {"text"}             for each final; joined they are the text of the transcript
    transcript {"text", "language"?}      after `audio-stop`, and then
    transcript-stop
    error {"text", "code"}                and then the server closes

Other events are ignored, as the protocol has it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coqui_server import __version__
from coqui_server.engines.base import AnyEngine, Options
from coqui_server.exceptions import BadRequest, RequestError
from coqui_server.media.raw import RawFormat
from coqui_server.protocols.intake import Intake, finishing
from coqui_server.protocols.wyoming_connection import WyomingConnection
from coqui_server.protocols.wyoming_events import Event
from coqui_server.transcription import events
from coqui_server.transcription.channels import MOST
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.service import Service
from coqui_server.transcription.wishes import terms
from coqui_server.transcription.wording import language

PROGRAM = "coqui_server"

_ENCODINGS = {1: "u8", 2: "linear16", 3: "s24le", 4: "s32le"}
"""By the bytes of a sample, as the protocol's own converter takes them."""


async def serve(client: WyomingConnection, service: Service) -> None:
    """Serve one utterance after another until the client leaves.

    After an error the connection is closed: Home Assistant ignores the event, and would wait for
    its transcript for ever.
    """
    nothing = wish = _wish({}, service)
    try:
        while event := await client.receive():
            match event.type:
                case "transcribe":
                    wish = _wish(event.data, service)
                case "audio-chunk":
                    await _utterance(client, service, wish, event)
                    wish = nothing
                case "audio-stop":
                    await _Transcript(client, wish.language).end("")
                    wish = nothing
                case _:
                    await _answer(client, service, event)
    except RequestError as refusal:
        await client.send("error", {"text": str(refusal), "code": refusal.code})


@dataclass(frozen=True)
class _Wish:
    """The values of a `transcribe`; `language` is that of the text, None if only the sound can
    tell."""

    engine: AnyEngine
    options: Options
    language: str | None


def _wish(data: Mapping[str, Any], service: Service) -> _Wish:
    """Raises BadRequest: there is no such engine, or it does not know the language."""
    name, asked = data.get("name"), data.get("language")
    engines = service.engines
    engine = engines.knowing(asked) if name is None else engines.get(name, asked)
    listed = [data.get(key) or [] for key in ("transcript_names", "transcript_terms")]
    favoured = tuple(term for texts in listed for term in terms(texts))
    options = Options(terms=favoured, language=asked)
    return _Wish(engine, options, language(engine, asked, service.settings))


class _Transcript:
    """Sends a transcript while it grows. A sink of its session."""

    def __init__(self, client: WyomingConnection, language: str | None) -> None:
        self._client = client
        self._language = {} if language is None else {"language": language}
        self._begun = False

    async def __call__(self, event: events.Event) -> None:
        if isinstance(event, events.Final):
            gap = " " if self._begun else ""
            await self._begin()
            await self._client.send("transcript-chunk", {"text": gap + event.segment.text})

    async def end(self, text: str) -> None:
        """Send the whole text."""
        await self._begin()
        await self._client.send("transcript", {"text": text, **self._language})
        await self._client.send("transcript-stop")

    async def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            await self._client.send("transcript-start", self._language)


async def _utterance(
    client: WyomingConnection, service: Service, wish: _Wish, first: Event
) -> None:
    """Take sound until `audio-stop`, from its first chunk on.

    One that is cut off by our shutdown has no `transcript`: half a command may be another command.
    """
    form, told = _format(first.data), _Transcript(client, wish.language)
    intake = Intake(form.encoding, form.rate, form.channels)
    request = SessionRequest(
        "live", engine=wish.engine, options=wish.options, speakers="off", sinks=(told,)
    )
    event: Event | None = first
    async with service.session(request) as session, finishing(session, intake):
        while event and event.type != "audio-stop":
            match event.type:
                case "audio-chunk":
                    if _format(event.data) != form:
                        raise BadRequest("all chunks of an utterance have the same format")
                    await intake.write(session, event.payload)
                case "transcribe" | "audio-start":
                    raise BadRequest(f"{event.type} came before audio-stop")
                case _:
                    await _answer(client, service, event)
            event = await client.receive()
    await told.end(session.transcript.text)


def _format(data: Mapping[str, Any]) -> RawFormat:
    """The format of a chunk. Raises BadRequest for one that is not taken."""
    width, channels = data.get("width"), data.get("channels")
    encoding = _ENCODINGS.get(width) if isinstance(width, int) else None
    if encoding is None:
        raise BadRequest("width is 1, 2, 3 or 4 bytes")
    if not isinstance(channels, int) or not 1 <= channels <= MOST:
        raise BadRequest(f"channels is a number from 1 to {MOST}")
    return RawFormat.of(encoding, data.get("rate") or 0, channels)


async def _answer(client: WyomingConnection, service: Service, event: Event) -> None:
    """Answer an event that is no part of an utterance."""
    match event.type:
        case "describe":
            await client.send("info", _info(service))
        case "ping":
            text = event.data.get("text")
            await client.send("pong", {"text": text} if isinstance(text, str) else {})
        case "select-program" if event.data.get("name") != PROGRAM:
            raise BadRequest(f"the program here is {PROGRAM}")


def _info(service: Service) -> dict[str, Any]:
    """One program, as Home Assistant looks at the first one only."""
    models = [_model(engine, service) for engine in service.engines]
    program = {
        **_artifact(PROGRAM, "Speech to text", __version__),
        "models": models,
        "supports_transcript_streaming": True,
        # The leveller does it, and hears more of the sound than a client does.
        "prefers_auto_gain_enabled": False,
    }
    return {"asr": [program]}


def _model(engine: AnyEngine, service: Service) -> dict[str, Any]:
    one = language(engine, None, service.settings)
    languages = engine.capabilities.languages or ((one,) if one else ())
    return {
        **_artifact(engine.name, f"{engine.name}, {engine.model}", engine.model),
        "languages": languages,
    }


def _artifact(name: str, description: str, version: str) -> dict[str, Any]:
    attribution = {"name": PROGRAM, "url": ""}
    return {
        "name": name,
        "description": description,
        "attribution": attribution,
        "installed": True,
        "version": version,
    }
