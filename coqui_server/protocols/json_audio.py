"""`/ws`: whole recordings as base64 in JSON, and raw live sound.

`{"type": "audio", "audio": "<base64 of a file>", "channels"?, "format"?, "speakers"?}` (channels
are `auto`, `mix` or `split`) is answered by
`{"type": "status", "message": "Processing audio..."}` and then
`{"type": "transcription", "text", "status": "success", "warnings"?}` or
`{"type": "error", "message"}`. Binary messages are 16-bit little-endian PCM, 16 kHz, mono; their
text comes as `{"type": "partial" | "final", "text"}` until `{"type": "stop"}`, which is answered by
`{"type": "stopped"}` when all finals are sent, or until the end of the connection. The format of
the text is verbatim or readable, and speakers are `off`, `auto` or a number; the address may have
both for all: `?format=verbatim&speakers=auto`. Texts of several speakers are a line each, after
their names.
"""

from collections.abc import AsyncIterator
from typing import Any

from websockets.asyncio.server import ServerConnection

from coqui_server.config.audio import ChannelMode
from coqui_server.exceptions import BadRequest, RequestError, ServerFault
from coqui_server.principal import Principal
from coqui_server.protocols.intake import Intake, finishing
from coqui_server.protocols.live_connection import LiveConnection, decoded, parsed
from coqui_server.transcription.channels import channel_mode
from coqui_server.transcription.diarization import speakers_wish
from coqui_server.transcription.events import Event, Final, Partial
from coqui_server.transcription.files import transcribe
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.service import Service
from coqui_server.transcription.wording import text_format
from coqui_transcript.mapping import warnings_to_json

_LARGEST = 64 * 2**20
"""Bytes of a message: a recording of 48 MB, in base64."""

_FRAGMENT = 64 * 1024


async def serve(connection: ServerConnection, principal: Principal, service: Service) -> None:
    """Answer recordings, and listen to sound, until the client leaves."""
    async with LiveConnection(connection, service) as client:
        try:
            while True:
                message = await client.receive(_LARGEST)
                if isinstance(message, bytes):
                    await _live(client, principal, service, message)
                elif not await _answer(client, principal, service, message):
                    continue
                await client.send({"type": "stopped"})
        except RequestError as refusal:
            await client.send(_error(refusal))
            await client.close(refusal.close_code)


async def _live(
    client: LiveConnection, principal: Principal, service: Service, message: str | bytes
) -> None:
    """Listen, from this first message on, until a stop."""

    async def tell(event: Event) -> None:
        match event:
            case Partial():
                await client.send({"type": "partial", "text": event.text})
            case Final():
                await client.send({"type": "final", "text": event.segment.text})

    intake, pace = Intake(), service.settings.partials.pace
    request = SessionRequest(
        "live",
        format=text_format(client.query.get("format")),
        speakers=speakers_wish(client.query.get("speakers")),
        interim=pace,
        owner=principal.user,
        sinks=(tell,),
    )
    async with service.session(request) as session, finishing(session, intake):
        while True:
            if isinstance(message, bytes):
                await intake.write(session, message)
            elif await _answer(client, principal, service, message):
                break
            message = await client.receive(_LARGEST)


async def _answer(
    client: LiveConnection, principal: Principal, service: Service, text: str
) -> bool:
    """Answer one JSON message; whether it was a stop."""
    try:
        message = parsed(text)
        match message.get("type"):
            case "stop":
                return True
            case "audio":
                await client.send({"type": "status", "message": "Processing audio..."})
                recording = _fragments(decoded(message.get("audio")))
                wish = {**client.query, **message}
                _, transcript = await transcribe(
                    service,
                    recording,
                    channels=_channels(message),
                    format=text_format(wish.get("format")),
                    speakers=speakers_wish(wish.get("speakers")),
                    owner=principal.user,
                )
                reply: dict[str, Any] = {
                    "type": "transcription",
                    "text": transcript.text,
                    "status": "success",
                }
                if transcript.warnings:
                    reply["warnings"] = warnings_to_json(transcript.warnings)
                await client.send(reply)
            case _:
                raise BadRequest('"type" is audio or stop')
    except RequestError as refusal:
        if isinstance(refusal, ServerFault):
            raise
        await client.send(_error(refusal))
    return False


def _channels(message: dict[str, Any]) -> ChannelMode | None:
    mode = message.get("channels")
    return None if mode is None else channel_mode(str(mode))


async def _fragments(recording: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(recording), _FRAGMENT):
        yield recording[start : start + _FRAGMENT]


def _error(refusal: RequestError) -> dict[str, Any]:
    return {"type": "error", "message": str(refusal), "code": refusal.code}
