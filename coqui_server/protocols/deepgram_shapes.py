"""Transcripts as Deepgram's JSON has them. No I/O.

Shapes: https://github.com/deepgram/deepgram-api-specs, asyncapi.yml and openapi.yml. Times are
seconds. Keys that clients require are there even where we have no value for them.
"""

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from coqui_server.engines.base import AnyEngine
from coqui_server.exceptions import RequestError
from coqui_transcript.alignment import stretches
from coqui_transcript.transcript import Segment

Json = dict[str, Any]

_EDGES = re.compile(r"^\W+|\W+$")
_WORD_END = re.compile(r"\s|$")

_SPEAKER = re.compile(r"Speaker (\d+)")
"""How a speaker is called who was told apart by the voice."""

_SURE = 1.0
"""The confidence of what an engine gives none for."""

_PARAGRAPH = 2.0
"""Seconds of silence between two paragraphs."""


def alternative(segments: Sequence[Segment]) -> Json:
    """The text of consecutive segments with its words."""
    sure = [segment.confidence for segment in segments if segment.confidence is not None]
    return {
        "transcript": " ".join(segment.text for segment in segments),
        "confidence": round(sum(sure) / len(sure), 6) if sure else _SURE if segments else 0.0,
        "words": [word for segment in segments for word in _words(segment)],
    }


def partial(text: str) -> Json:
    """A text that may still change, which has no words yet."""
    return {"transcript": text, "confidence": 0.0, "words": []}


def model_info(engine: AnyEngine) -> tuple[str, Json]:
    """The id of an engine's model, always the same one, and what it is."""
    id = uuid.uuid5(uuid.NAMESPACE_OID, f"{engine.name} {engine.model}")
    return str(id), {"name": engine.model, "version": "", "arch": engine.name}


def metadata(id: str, engine: AnyEngine, sha256: str, duration: float, channels: int) -> Json:
    """What a request was about."""
    model, info = model_info(engine)
    return {
        "transaction_key": "deprecated",
        "request_id": id,
        "sha256": sha256,
        "created": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "duration": round(duration, 6),
        "channels": channels,
        "models": [model],
        "model_info": {model: info},
    }


def error(refusal: RequestError, id: str) -> Json:
    """A refusal."""
    return {"err_code": refusal.code.upper(), "err_msg": str(refusal), "request_id": id}


def channels(segments: Sequence[Segment], count: int, *, paragraphs: bool) -> list[Json]:
    """The results of a file, by channel."""
    by_channel = [_of(segments, number, count) for number in range(1, count + 1)]
    return [{"alternatives": [_alternative(said, paragraphs)]} for said in by_channel]


def utterances(segments: Sequence[Segment]) -> list[Json]:
    """The utterances of a file in the order of speech."""
    return [
        {
            "start": round(segment.start, 6),
            "end": round(segment.end, 6),
            "channel": (segment.channel or 1) - 1,
            "id": str(uuid.uuid4()),
            **alternative([segment]),
            **_speaker(segment),
        }
        for segment in segments
    ]


def _of(segments: Sequence[Segment], number: int, count: int) -> list[Segment]:
    return [segment for segment in segments if count == 1 or segment.channel == number]


def _alternative(segments: Sequence[Segment], paragraphs: bool) -> Json:
    said = alternative(segments)
    if not paragraphs:
        return said
    parts = list(_paragraphs(segments))
    text = "\n\n".join(" ".join(segment.text for segment in part) for part in parts)
    shown = {"transcript": f"\n{text}", "paragraphs": [_paragraph(part) for part in parts]}
    return {**said, "paragraphs": shown}


def _paragraphs(segments: Sequence[Segment]) -> Iterator[list[Segment]]:
    part: list[Segment] = []
    for segment in segments:
        if part and segment.start - part[-1].end >= _PARAGRAPH:
            yield part
            part = []
        part.append(segment)
    if part:
        yield part


def _paragraph(segments: Sequence[Segment]) -> Json:
    return {
        "sentences": [
            {"text": segment.text, "start": segment.start, "end": segment.end}
            for segment in segments
        ],
        "num_words": sum(len(segment.text.split()) for segment in segments),
        "start": segments[0].start,
        "end": segments[-1].end,
    }


def _words(segment: Segment) -> Iterator[Mapping[str, Any]]:
    """The words as they are written, with the marks that touch them."""
    sure = {word.start: word.confidence for word in segment.words}
    for piece in stretches(segment.text, segment.words):
        found = _WORD_END.search(segment.text, piece.last)
        written = segment.text[piece.first : found.start() if found else piece.last]
        confidence = sure.get(piece.start)
        yield {
            "word": _EDGES.sub("", written).lower() or written,
            "start": round(piece.start, 6),
            "end": round(piece.end, 6),
            "confidence": _SURE if confidence is None else round(confidence, 6),
            "punctuated_word": written,
            **_speaker(segment),
        }


def _speaker(segment: Segment) -> Json:
    """The number of who speaks, from 0; nothing if speakers were not told apart."""
    told = _SPEAKER.fullmatch(segment.speaker or "")
    return {"speaker": int(told[1]) - 1} if told else {}
