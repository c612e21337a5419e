"""`/ws`: whole recordings as base64 in JSON, and raw live sound.

`{"type": "audio", "audio": "<base64 of a file>"}`, perhaps with wishes of a file
(`transcription.wishes`), is answered by
`{"type": "status", "message": "Processing audio..."}` and then
`{"type": "transcription", "text", "status": "success", "duration", "segments", "warnings"?}`, as
`/api/v1/stt` has them, or `{"type": "error", "message"}`. Binary messages are 16-bit little-endian
PCM, 16 kHz, mono; their text comes as `{"type": "partial" | "final", "text", "speaker"?}` until
`{"type": "stop"}`, which is answered by `{"type": "stopped"}` when all finals are sent, or until
the end of the connection. Before that, `{"type": "speakers", "segments"}` tells which finals turned
out to be somebody else's. The address may have wishes for all: `?format=verbatim&speakers=auto`.
"""

from collections.abc import AsyncIterator
from typing import Any

from websockets.asyncio.server import ServerConnection

from coqui_server.engines.base import Options
from coqui_server.exceptions import BadRequest, RequestError, ServerFault
from coqui_server.principal import Principal
from coqui_server.protocols.intake import Intake, finishing
from coqui_server.protocols.live_connection import LiveConnection, decoded, parsed
from coqui_server.transcription.events import Event, Final, Partial, SpeakersCorrected
from coqui_server.transcription.files import transcribe
from coqui_server.transcription.messages import corrected
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.service import Service
from coqui_server.transcription.wishes import FileWishes, Wishes
from coqui_transcript.mapping import transcript_to_json

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
                who = {"speaker": event.segment.speaker} if event.segment.speaker else {}
                await client.send({"type": "final", "text": event.segment.text, **who})
            case SpeakersCorrected():
                await client.send({"type": "speakers", "segments": corrected(event)})

    wishes, intake = Wishes.of(client.query), Intake()
    request = SessionRequest(
        "live",
        options=Options(terms=wishes.terms),
        format=wishes.format,
        speakers=wishes.speakers,
        interim=service.settings.partials.pace,
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
                _, transcript = await transcribe(
                    service,
                    recording,
                    wishes=FileWishes.of(client.query, message),
                    owner=principal.user,
                )
                said = transcript_to_json(transcript)
                await client.send({"type": "transcription", "status": "success", **said})
            case _:
                raise BadRequest('"type" is audio or stop')
    except RequestError as refusal:
        if isinstance(refusal, ServerFault):
            raise
        await client.send(_error(refusal))
    return False


async def _fragments(recording: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(recording), _FRAGMENT):
        yield recording[start : start + _FRAGMENT]


def _error(refusal: RequestError) -> dict[str, Any]:
    return {"type": "error", "message": str(refusal), "code": refusal.code}
