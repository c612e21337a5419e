"""`/v1/audio` and `/v1/models`: OpenAI's transcription API, as its official clients speak it.
`protocols/openai_realtime.py` is the one for live speech.

What they send and read is in the `openai` package (`openai.types.audio`). Errors are
`{"error": {"message", "type", "param", "code"}}`, as the clients expect.
"""

import math
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing
from functools import partial

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from coqui_server.exceptions import (
    BadRequest,
    RequestError,
)
from coqui_server.exports import openai
from coqui_server.exports.openai import Json
from coqui_server.protocols import openai_errors, openai_models
from coqui_server.transcription.service import Service
from coqui_server.transcription.wishes import FILE_NAMES
from coqui_server.web.api.finals import EventStream, finals
from coqui_server.web.api.refusals import refusing
from coqui_server.web.api.transcribed import Transcribed, transcribed
from coqui_server.web.attended import while_connected
from coqui_server.web.one_file import OneFile, Reception, form_schema
from coqui_server.web.principals import CurrentPrincipal
from coqui_transcript.transcript import Segment

_FIELDS = (
    "model",
    "language",
    "prompt",
    "response_format",
    "temperature",
    "timestamp_granularities",
    "include",
    "stream",
    "known_speaker_names",
    "keywords",
    *FILE_NAMES,
)

_FORMATS = ("json", "text", "srt", "vtt", "verbose_json", "diarized_json")

_FORM = form_schema("file", *_FIELDS)


def router(service: Service, reception: Reception) -> APIRouter:
    """The routes of OpenAI's clients."""
    routes = APIRouter(prefix="/v1", tags=["OpenAI"], route_class=refusing(_refusal))
    created = int(time.time())

    # No limit for the whole form: the file in it has its own.
    @routes.post("/audio/transcriptions", max_body_size=sys.maxsize, openapi_extra=_FORM)
    async def transcriptions(asking: CurrentPrincipal, request: Request) -> Response:
        """The text of a file, as `response_format` says. With `stream` as server-sent events."""
        async with AsyncExitStack() as stack:
            file = await stack.enter_async_context(reception.file(request, asking, "file", _FIELDS))
            format = _checked(file, _FORMATS)
            work = partial(
                transcribed,
                service,
                file,
                engine=openai_models.engine(service.engines, file.value("model")),
                language=file.value("language"),
                prompt=file.value("prompt"),
                otherwise={"speakers": "auto"} if format == "diarized_json" else {},
            )
            if file.value("stream") not in ("true", "True", "1"):
                return _answer(await while_connected(request, work()), file, format)
            items = await stack.enter_async_context(
                aclosing(finals(lambda sink: work(sinks=[sink])))
            )
            # A file that is refused before anything is told gets the status of its error.
            first = await while_connected(request, _first(items))
            return EventStream(_events(first, items, file, format), stack.pop_all())

    @routes.post("/audio/translations", max_body_size=sys.maxsize, openapi_extra=_FORM)
    async def translations(asking: CurrentPrincipal, request: Request) -> Response:
        """The English text of a file in another language, by an engine that translates."""
        async with reception.file(request, asking, "file", _FIELDS) as file:
            format = _checked(file, _FORMATS[:-1])
            work = transcribed(
                service,
                file,
                engine=openai_models.engine(service.engines, file.value("model")),
                prompt=file.value("prompt"),
                translate=True,
            )
            done = await while_connected(request, work)
            return _answer(done, file, format, task="translate")

    @routes.get("/models")
    async def models(_: CurrentPrincipal) -> Json:
        """The engines by their names, and OpenAI's names for the default engine."""
        known = [openai.model(engine.name, created, "coqui_server") for engine in service.engines]
        theirs = [openai.model(name, created, "openai") for name in openai_models.NAMES]
        return {"object": "list", "data": [*known, *theirs]}

    @routes.get("/models/{name:path}")
    async def model(_: CurrentPrincipal, name: str) -> Json:
        """One of them."""
        known = openai_models.engine(service.engines, name) is not None
        return openai.model(name, created, "coqui_server" if known else "openai")

    @routes.post("/realtime/client_secrets")
    @routes.post("/realtime/transcription_sessions")
    async def keys(_: CurrentPrincipal) -> None:
        """Refused: the key of a Realtime client is a token of its user."""
        raise BadRequest("there are no ephemeral keys; the key is a token of the account's page")

    return routes


def _refusal(refusal: RequestError) -> JSONResponse:
    return JSONResponse(openai_errors.error(refusal), openai_errors.status(refusal))


def _checked(file: OneFile, formats: tuple[str, ...]) -> str:
    """The format of the answer.

    Raises:
        BadRequest: it is none of these, or another field has a value that cannot be meant.
    """
    format = file.value("response_format") or "json"
    if format not in formats:
        raise BadRequest(f"response_format is {', '.join(formats)}")
    unknown = set(file.fields.get("timestamp_granularities", ())) - {"word", "segment"}
    if unknown:
        raise BadRequest("timestamp_granularities[] is word or segment")
    if not 0 <= _number(file.value("temperature") or "0") <= 1:
        raise BadRequest("temperature is a number from 0 to 1")
    return format


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _answer(done: Transcribed, file: OneFile, format: str, task: str = "transcribe") -> Response:
    said = done.transcript
    match format:
        case "verbose_json":
            wanted = file.fields.get("timestamp_granularities", ())
            return JSONResponse(
                openai.verbose(said, done.language, words="word" in wanted, task=task)
            )
        case "diarized_json":
            return JSONResponse(openai.diarized(said, _names(file)))
    return done.as_text(format) or JSONResponse(openai.plain(said, logprobs=_logprobs(file)))


async def _first(
    items: AsyncGenerator[Segment | Transcribed, None],
) -> Segment | Transcribed:
    return await anext(items)


async def _events(
    first: Segment | Transcribed,
    rest: AsyncIterator[Segment | Transcribed],
    file: OneFile,
    format: str,
) -> AsyncIterator[Json]:
    """The events of a stream. What fails on the way is the last one."""
    speakers = openai.Speakers(_names(file)) if format == "diarized_json" else None
    stream = openai.Stream(speakers, logprobs=_logprobs(file))
    try:
        item: Segment | Transcribed | None = first
        while item is not None:
            for event in _told(stream, item):
                yield event
            item = await anext(rest, None)
    except RequestError as refusal:
        yield openai_errors.error(refusal)


def _told(stream: openai.Stream, item: Segment | Transcribed) -> list[Json]:
    if isinstance(item, Segment):
        return stream.segment(item)
    return [stream.done(item.transcript)]


def _logprobs(file: OneFile) -> bool:
    return "logprobs" in file.fields.get("include", ())


def _names(file: OneFile) -> tuple[str, ...]:
    """The names of the people on the channels of the file. Names that belong to samples of voices
    are in the order of the samples, and voices are not compared here."""
    if "known_speaker_references" in file.others:
        return ()
    return file.fields.get("known_speaker_names", ())
