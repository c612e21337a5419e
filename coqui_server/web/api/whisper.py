"""`/asr`, `/detect-language` and `/inference`: what servers of Whisper offer.

The first two are those of whisper-asr-webservice (`app/webservice.py`), which Bazarr and others
use; their options are in the query. The third is that of whisper.cpp (`examples/server`).
"""

import sys
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from coqui_server.exceptions import BadRequest
from coqui_server.exports import openai
from coqui_server.exports.languages import language_name
from coqui_server.media.raw import RawFormat
from coqui_server.media.samples import SAMPLE_RATE
from coqui_server.transcription.languages import spoken_language
from coqui_server.transcription.service import Service
from coqui_server.transcription.wishes import FILE_NAMES
from coqui_server.web.api.refusals import Form, refusing
from coqui_server.web.api.transcribed import Transcribed, transcribed
from coqui_server.web.attended import while_connected
from coqui_server.web.one_file import OneFile, Reception, form_schema
from coqui_server.web.principals import CurrentPrincipal
from coqui_transcript import subtitles

_FIELDS = ("language", "prompt", "response_format", "translate", *FILE_NAMES)

_FORMATS = ("json", "text", "srt", "vtt", "verbose_json")

_AUDIO_FILE, _FILE = form_schema("audio_file", *FILE_NAMES), form_schema("file", *_FIELDS)

_PCM = RawFormat("linear16", SAMPLE_RATE)
"""What `encode=false` says of a file: it is already what ffmpeg would make of it."""


def router(service: Service, reception: Reception) -> APIRouter:
    """The routes of both servers."""
    routes = APIRouter(tags=["Whisper"])
    routes.include_router(_webservice(service, reception))
    routes.include_router(_cpp(service, reception))
    return routes


def _webservice(service: Service, reception: Reception) -> APIRouter:
    routes = APIRouter(route_class=refusing(_saying("detail")))

    @routes.post("/asr", max_body_size=sys.maxsize, openapi_extra=_AUDIO_FILE)
    async def asr(
        asking: CurrentPrincipal,
        request: Request,
        task: Literal["transcribe", "translate"] = "transcribe",
        language: str | None = None,
        initial_prompt: Annotated[str | None, Query(max_length=4000)] = None,
        encode: bool = True,
        word_timestamps: bool = False,
        output: Literal["txt", "vtt", "srt", "tsv", "json"] = "txt",
    ) -> Response:
        """The text of a file. With `encode=false` it is 16-bit samples of 16 kHz without a
        header."""
        async with reception.file(request, asking, "audio_file", FILE_NAMES) as file:
            work = transcribed(
                service,
                file,
                language=language or None,
                prompt=initial_prompt or None,
                translate=task == "translate",
                otherwise={} if encode else {"encoding": _PCM.encoding},
            )
            done = await while_connected(request, work)
        answer = _written(done, output, words=word_timestamps)
        answer.headers["Asr-Engine"] = done.engine
        name = quote(f"{done.name}.{output}", safe="")
        answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
        return answer

    @routes.post("/detect-language", max_body_size=sys.maxsize, openapi_extra=_AUDIO_FILE)
    async def detect_language(
        asking: CurrentPrincipal, request: Request, encode: bool = True
    ) -> dict[str, Any]:
        """The language of a file, if one of the engines can tell."""
        async with reception.file(request, asking, "audio_file", ()) as file:
            work = _detected(service, file, None if encode else _PCM)
            code, confidence = await while_connected(request, work)
        return {
            "detected_language": language_name(code),
            "language_code": code,
            "confidence": confidence,
        }

    return routes


def _cpp(service: Service, reception: Reception) -> APIRouter:
    routes = APIRouter(route_class=refusing(_saying("error")))

    @routes.post("/inference", max_body_size=sys.maxsize, openapi_extra=_FILE)
    async def inference(asking: CurrentPrincipal, request: Request) -> Response:
        """The text of a file, as `response_format` says."""
        async with reception.file(request, asking, "file", _FIELDS) as file:
            format = file.value("response_format") or "json"
            if format not in _FORMATS:
                raise BadRequest(f"response_format is {', '.join(_FORMATS)}")
            translate = (file.value("translate") or "").lower() in ("true", "1", "yes", "on")
            language = file.value("language")
            work = transcribed(
                service,
                file,
                language=None if language == "auto" else language,
                prompt=file.value("prompt"),
                translate=translate,
            )
            done = await while_connected(request, work)
        return _inferred(done, format, "translate" if translate else "transcribe")

    return routes


async def _detected(service: Service, file: OneFile, raw: RawFormat | None) -> tuple[str, float]:
    async with file.chunks() as chunks:
        return await spoken_language(service, chunks, path=file.path, raw=raw)


def _saying(key: str) -> Form:
    """Refusals whose JSON has the problem under this key."""
    return lambda refusal: JSONResponse({key: str(refusal)}, refusal.http_status)


def _written(done: Transcribed, output: str, *, words: bool) -> Response:
    """The answer of `/asr`: text for all but `json`."""
    said = done.transcript
    if output == "json":
        return JSONResponse(
            {
                "text": said.text,
                "segments": openai.segments(said, words=words),
                "language": done.language,
            }
        )
    if output == "tsv":
        return PlainTextResponse(subtitles.tsv(done.document.plain().transcript))
    return PlainTextResponse(done.exported(output))


def _inferred(done: Transcribed, format: str, task: str) -> Response:
    said = done.transcript
    if format == "verbose_json":
        fields = openai.verbose(said, done.language, task=task)
        return JSONResponse({**fields, "segments": openai.segments(said, words=True)})
    return done.as_text(format) or JSONResponse({"text": said.text})
