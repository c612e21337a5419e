"""A transcript as JSON objects and back. Every reply, event, export and stored segment uses this.

A segment is `{"start", "end", "text", "channel"?, "speaker"?, "confidence"?, "alternatives"?,
"words"?}` and a word `{"word", "start", "end", "confidence"?}`. A warning is `{"code", "message"}`.
Times are seconds with three decimals.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from coqui_transcript.transcript import (
    Alternative,
    Segment,
    Transcript,
    TranscriptWarning,
    Word,
)

Json = dict[str, Any]


def transcript_to_json(transcript: Transcript) -> Json:
    """`text`, `duration`, `segments`, and `warnings` if there are some."""
    fields: Json = {
        "text": transcript.text,
        "duration": round(transcript.duration, 3),
        "segments": [segment_to_json(segment) for segment in transcript.segments],
    }
    if transcript.warnings:
        fields["warnings"] = warnings_to_json(transcript.warnings)
    return fields


def warnings_to_json(warnings: Iterable[TranscriptWarning]) -> list[Json]:
    """The object of each warning."""
    return [{"code": warning.code, "message": warning.message} for warning in warnings]


def warnings_from_json(items: Iterable[Mapping[str, Any]]) -> tuple[TranscriptWarning, ...]:
    """Read what `warnings_to_json` writes. Raises as `transcript_from_json`."""
    return tuple(
        TranscriptWarning(text_in(item, "code"), text_in(item, "message")) for item in items
    )


def segment_to_json(segment: Segment) -> Json:
    """The object of one segment; what is not known is left out."""
    fields: Json = {
        "start": round(segment.start, 3),
        "end": round(segment.end, 3),
        "text": segment.text,
    }
    if segment.channel is not None:
        fields["channel"] = segment.channel
    if segment.speaker is not None:
        fields["speaker"] = segment.speaker
    if segment.confidence is not None:
        fields["confidence"] = round(segment.confidence, 3)
    if segment.alternatives:
        fields["alternatives"] = [
            {"text": alternative.text, "confidence": round(alternative.confidence, 3)}
            for alternative in segment.alternatives
        ]
    if segment.words:
        fields["words"] = [word_to_json(word) for word in segment.words]
    return fields


def word_to_json(word: Word) -> Json:
    """The object of one word."""
    fields: Json = {"word": word.text, "start": round(word.start, 3), "end": round(word.end, 3)}
    if word.confidence is not None:
        fields["confidence"] = round(word.confidence, 3)
    return fields


def transcript_from_json(fields: Mapping[str, Any]) -> Transcript:
    """Read what `transcript_to_json` writes; unknown keys are passed over.

    Raises:
        ValueError: a key is missing or has a value of another kind.
    """
    return Transcript(
        text=text_in(fields, "text"),
        duration=_number(fields, "duration"),
        segments=tuple(segment_from_json(item) for item in _objects(fields, "segments")),
        warnings=warnings_from_json(_objects(fields, "warnings")),
    )


def segment_from_json(fields: Mapping[str, Any]) -> Segment:
    """Read what `segment_to_json` writes. Raises as `transcript_from_json`."""
    speaker = fields.get("speaker")
    return Segment(
        start=_number(fields, "start"),
        end=_number(fields, "end"),
        text=text_in(fields, "text"),
        words=tuple(word_from_json(word) for word in _objects(fields, "words")),
        confidence=_optional_number(fields, "confidence"),
        alternatives=tuple(
            Alternative(text_in(other, "text"), _number(other, "confidence"))
            for other in _objects(fields, "alternatives")
        ),
        speaker=None if speaker is None else text_in(fields, "speaker"),
        channel=_optional_whole(fields, "channel"),
    )


def word_from_json(fields: Mapping[str, Any]) -> Word:
    """Read what `word_to_json` writes. Raises as `transcript_from_json`."""
    return Word(
        text=text_in(fields, "word"),
        start=_number(fields, "start"),
        end=_number(fields, "end"),
        confidence=_optional_number(fields, "confidence"),
    )


def text_in(fields: Mapping[str, Any], key: str) -> str:
    """The text that `fields` has under `key`.

    Raises:
        ValueError: there is none.
    """
    value = fields.get(key)
    if not isinstance(value, str):
        raise ValueError(f"no text in '{key}'")
    return value


def _number(fields: Mapping[str, Any], key: str) -> float:
    value = fields.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"no number in '{key}'")
    return float(value)


def _optional_number(fields: Mapping[str, Any], key: str) -> float | None:
    return None if fields.get(key) is None else _number(fields, key)


def _optional_whole(fields: Mapping[str, Any], key: str) -> int | None:
    number = _optional_number(fields, key)
    return None if number is None else int(number)


def _objects(fields: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = fields.get(key) or []
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise ValueError(f"no list of objects in '{key}'")
    return value
