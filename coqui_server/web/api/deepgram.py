"""`POST /v1/listen`: Deepgram's prerecorded transcription, for the clients made for it.

Source: https://github.com/deepgram/deepgram-api-specs, openapi.yml. The body is the file, of any
type, or `{"url": …}` where `web.fetch` allows it; the query has all options
(`protocols.deepgram_query`).
"""

import asyncio
import hashlib
import sys
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from coqui_server.exceptions import BadRequest, RequestError, TooLarge
from coqui_server.principal import Principal
from coqui_server.protocols import deepgram_shapes as shapes
from coqui_server.protocols.deepgram_query import Query
from coqui_server.protocols.live_connection import json_object
from coqui_server.transcription.files import transcribe
from coqui_server.transcription.service import Service
from coqui_server.transcription.session import Session
from coqui_server.web.api.refusals import refusing
from coqui_server.web.bodies import chunks, discard
from coqui_server.web.callbacks import Callbacks
from coqui_server.web.fetching import fetched
from coqui_server.web.principals import CurrentPrincipal
from coqui_transcript.transcript import Transcript

_DESCRIPTION = {
    "parameters": [
        {"name": name, "in": "query", "schema": {"type": kind}}
        for name, kind in (
            ("model", "string"),
            ("language", "string"),
            ("encoding", "string"),
            ("sample_rate", "integer"),
            ("channels", "integer"),
            ("multichannel", "boolean"),
            ("smart_format", "boolean"),
            ("utterances", "boolean"),
            ("paragraphs", "boolean"),
        )
    ],
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    },
}


_LONGEST_JSON = 16 * 1024
"""Bytes of a body that names a file."""


def _refusal(refusal: RequestError) -> JSONResponse:
    id = str(uuid.uuid4())
    named = {"dg-request-id": id, "dg-error": refusal.code}
    return JSONResponse(shapes.error(refusal, id), refusal.http_status, named)


class _File:
    """The bytes of a file, counted and hashed as they come.

    Attributes:
        received: the request has no more of them.
    """

    def __init__(self, stream: AsyncGenerator[bytes, None], limit: int | None) -> None:
        self.received = asyncio.Event()
        self._stream = stream
        self._limit = limit
        self._size = 0
        self._sha256 = hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()

    async def chunks(self) -> AsyncIterator[bytes]:
        """All of them, once."""
        async with aclosing(self._stream) as stream:
            async for chunk in stream:
                self._size += len(chunk)
                if self._limit is not None and self._size > self._limit:
                    raise TooLarge(f"the file is larger than {self._limit} bytes")
                self._sha256.update(chunk)
                yield chunk
        self.received.set()


def router(service: Service, callbacks: Callbacks) -> APIRouter:
    """The route of prerecorded transcription."""
    routes = APIRouter(prefix="/v1", tags=["deepgram"], route_class=refusing(_refusal))

    # A file has its own limit.
    @routes.post("/listen", max_body_size=sys.maxsize, openapi_extra=_DESCRIPTION)
    async def listen(asking: CurrentPrincipal, request: Request) -> Response:
        """Transcribe a file, as Deepgram's API does."""
        query = Query(request.url.query)
        body = chunks(request, service)
        try:
            query.check(service.engines)
            callback = _callback(query, service)
            file = await _file(request, body, service)
            work = _answer(service, asking, query, file)
            if callback is None:
                answer = await work
                return _named(answer["metadata"]["request_id"], answer)
            id = str(uuid.uuid4())
            await callbacks.accept(id, callback, work, file.received)
            return _named(id, {"request_id": id})
        except RequestError:
            await discard(body)
            raise

    return routes


def _named(id: str, answer: shapes.Json) -> Response:
    return JSONResponse(answer, headers={"dg-request-id": id})


def _callback(query: Query, service: Service) -> str | None:
    """Where the answer is to be posted; None for the response."""
    callback = query.text("callback")
    if callback is not None and not service.settings.web.callbacks:
        raise BadRequest("this server has no callbacks (web.callbacks); wait for the answer")
    return callback


async def _file(request: Request, body: AsyncGenerator[bytes, None], service: Service) -> _File:
    """The file in the body, or at the address that the body names."""
    limit = service.settings.server.websocket.max_size
    if not request.headers.get("content-type", "").startswith("application/json"):
        return _File(body, limit)
    if not service.settings.web.fetch:
        raise BadRequest("this server fetches no files (web.fetch); send the bytes of the file")
    text = b""
    async for chunk in body:
        text += chunk
        if len(text) > _LONGEST_JSON:
            raise TooLarge(f"a body of JSON may have {_LONGEST_JSON} bytes")
    url = json_object(text.decode("utf-8", "replace")).get("url")
    if not isinstance(url, str):
        raise BadRequest('a body of JSON is {"url": the address of a file}')
    file = _File(fetched(url, service.settings.server.idle), limit)
    file.received.set()
    return file


async def _answer(service: Service, asking: Principal, query: Query, file: _File) -> shapes.Json:
    engine = query.engine(service.engines)
    session, transcript = await transcribe(
        service,
        file.chunks(),
        engine=engine.name,
        language=query.language,
        wishes=query.wishes,
        owner=asking.user,
    )
    return _reply(session, transcript, query, file.sha256)


def _reply(session: Session, transcript: Transcript, query: Query, sha256: str) -> shapes.Json:
    count, said = session.legs, transcript.segments
    paragraphs = query.flag("paragraphs") or query.flag("smart_format")
    results: shapes.Json = {"channels": shapes.channels(said, count, paragraphs=paragraphs)}
    if query.flag("utterances"):
        results["utterances"] = shapes.utterances(said)
    about = shapes.metadata(session.id, session.engine, sha256, transcript.duration, count)
    return {"metadata": about, "results": results}
