"""`POST /v1/listen`: Deepgram's prerecorded transcription, for the clients made for it.

Source: https://github.com/deepgram/deepgram-api-specs, openapi.yml. The body is the file, of any
type, or `{"url": …}` where `web.fetch` allows it; the query has all options
(`protocols.deepgram_query`).
"""

import hashlib
import sys
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from coqui_server.exceptions import BadRequest, RequestError, TooLarge
from coqui_server.principal import Principal
from coqui_server.protocols import deepgram_shapes as shapes
from coqui_server.protocols.deepgram_query import Query
from coqui_server.protocols.live_connection import json_object
from coqui_server.transcription.files import transcribe
from coqui_server.transcription.service import Service
from coqui_server.transcription.session import Session
from coqui_server.web import errors
from coqui_server.web.body import chunks, discard
from coqui_server.web.fetching import fetched
from coqui_server.web.principals import CurrentPrincipal
from coqui_transcript.transcript import Transcript

_BODY = {
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


class _Route(APIRoute):
    """Answers refusals in Deepgram's form."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            id = str(uuid.uuid4())
            try:
                return await handle(request)
            except RequestError as refusal:
                named = {"dg-request-id": id, "dg-error": refusal.code}
                headers = named | errors.headers(refusal)
                return JSONResponse(shapes.error(refusal, id), refusal.http_status, headers)

        return answer


class _Body:
    """The bytes of a file, counted and hashed as they come."""

    def __init__(self, stream: AsyncGenerator[bytes, None], limit: int | None) -> None:
        self._stream = stream
        self._limit = limit
        self._size = 0
        self._sha256 = hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._size += len(chunk)
            if self._limit is not None and self._size > self._limit:
                raise TooLarge(f"the file is larger than {self._limit} bytes")
            self._sha256.update(chunk)
            yield chunk


def router(service: Service) -> APIRouter:
    """The route of prerecorded transcription."""
    routes = APIRouter(prefix="/v1", tags=["deepgram"], route_class=_Route)

    # A file has its own limit.
    @routes.post("/listen", max_body_size=sys.maxsize, openapi_extra=_BODY)
    async def listen(asking: CurrentPrincipal, request: Request) -> Response:
        """Transcribe a file, as Deepgram's API does."""
        body = chunks(request, service)
        try:
            async with aclosing(await _file(request, body, service)) as file:
                answer = await _answer(service, asking, request, file)
        except RequestError:
            await discard(body)
            raise
        id = answer["metadata"]["request_id"]
        return JSONResponse(answer, headers={"dg-request-id": id})

    return routes


async def _file(
    request: Request, body: AsyncGenerator[bytes, None], service: Service
) -> AsyncGenerator[bytes, None]:
    """The bytes of the file: those of the body, or of what it names."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        return body
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
    return fetched(url, service.settings.server.idle)


async def _answer(
    service: Service,
    asking: Principal,
    request: Request,
    stream: AsyncGenerator[bytes, None],
) -> shapes.Json:
    query = Query(request.url.query)
    query.check(service.engines)
    engine = query.engine(service.engines)
    body = _Body(stream, service.settings.server.websocket.max_size)
    session, transcript = await transcribe(
        service,
        aiter(body),
        engine=engine.name,
        language=query.language,
        channels="split" if query.flag("multichannel") else "mix",
        raw=query.raw,
        format=query.format,
        phrases=query.phrases(engine),
        owner=asking.user,
    )
    return _reply(session, transcript, query, body.sha256)


def _reply(session: Session, transcript: Transcript, query: Query, sha256: str) -> shapes.Json:
    count, said = session.legs, transcript.segments
    paragraphs = query.flag("paragraphs") or query.flag("smart_format")
    results: shapes.Json = {"channels": shapes.channels(said, count, paragraphs=paragraphs)}
    if query.flag("utterances"):
        results["utterances"] = shapes.utterances(said)
    about = shapes.metadata(session.id, session.engine, sha256, transcript.duration, count)
    return {"metadata": about, "results": results}
