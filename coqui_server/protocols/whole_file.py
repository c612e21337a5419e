"""`/api/v1/stt`: a whole file in one binary message, its transcript in one text message, close.

The older server's protocol, with more in the reply:

    {"text", "time", "duration", "engine", "session",
     "segments": [{"start", "end", "text", "channel"?, "speaker"?, "confidence"?,
                   "alternatives"?, "words"?: [{"word", "start", "end", "confidence"?}]}],
     "warnings"?: [{"code", "message"}]}

The address may name an engine, a language and a sound track: `?engine=vosk&language=en&track=2`. It
may say what becomes of the channels: `?channels=split` (or `mix`, or `auto`).
`?speakers=auto` tells the speakers apart (or `3`, if they are so many; or `off`).
`?format=verbatim` asks for the engine's own text instead of `readable`. `?terms=Ana Roe,Vevay` are
names and terms to favour.
A file without a header needs its encoding, perhaps a rate: `?encoding=mulaw&sample_rate=8000`.
`time` is seconds of decoding, all other times are seconds of the file. `warnings` say why the text
may miss something: the file was cut off, for example. A failure is `{"message", "code"}` and a
close code: 1003 not audio, 1008 idle or no such engine, 1009 too large, 1013 busy, 1011 ours.
"""

import asyncio
import json
from collections.abc import Coroutine
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from coqui_server.exceptions import RequestError
from coqui_server.principal import Principal
from coqui_server.protocols.upload import Upload
from coqui_server.transcription.files import transcribe
from coqui_server.transcription.service import Service
from coqui_server.transcription.session import Session
from coqui_server.transcription.wishes import FileWishes
from coqui_transcript.mapping import transcript_to_json
from coqui_transcript.transcript import Transcript


async def serve(connection: ServerConnection, principal: Principal, service: Service) -> None:
    """Answer one file, or say why not."""
    assert connection.request is not None
    async with Upload(connection, service) as upload:
        try:
            query = urlsplit(connection.request.path).query
            reply = await _while_connected(connection, _answer(service, principal, upload, query))
        except RequestError as refusal:
            await connection.send(json.dumps({"message": str(refusal), "code": refusal.code}))
            await connection.close(refusal.close_code)
        else:
            await connection.send(json.dumps(reply, ensure_ascii=False))
            await connection.close()


async def _while_connected(
    connection: ServerConnection, work: Coroutine[Any, Any, dict[str, Any]]
) -> dict[str, Any]:
    """The result of `work`, which is cancelled as soon as its client is gone."""
    working = asyncio.create_task(work)
    gone = asyncio.create_task(connection.wait_closed())
    try:
        await asyncio.wait((working, gone), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ConnectionClosed(None, None)
        return working.result()
    finally:
        working.cancel()
        gone.cancel()
        await asyncio.gather(working, gone, return_exceptions=True)


async def _answer(
    service: Service, principal: Principal, upload: Upload, query: str
) -> dict[str, Any]:
    values = dict(parse_qsl(query, keep_blank_values=True))
    session, transcript = await transcribe(
        service,
        upload,
        engine=values.get("engine"),
        language=values.get("language"),
        wishes=FileWishes.of(values),
        owner=principal.user,
    )
    return _reply(session, transcript)


def _reply(session: Session, transcript: Transcript) -> dict[str, Any]:
    return {
        **transcript_to_json(transcript),
        "time": round(session.decoding_seconds, 3),
        "engine": session.engine.name,
        "session": session.id,
    }
