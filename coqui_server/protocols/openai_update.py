"""Updates of the configuration of a session of OpenAI's Realtime protocol. No I/O.

    {"type": "transcription", "include"?, "audio": {"input": {"format"?, "transcription"?,
     "turn_detection"?, "noise_reduction"?}}}
    {"input_audio_format"?, "input_audio_transcription"?, "turn_detection"?,
     "input_audio_noise_reduction"?, "include"?}                            the form of the beta

What is left out keeps its value. Other keys are ignored, as clients send what is for conversations.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from coqui_server.exceptions import BadRequest
from coqui_server.exports.openai import Json
from coqui_server.media.raw import RawFormat
from coqui_server.protocols.openai_configuration import (
    AGREEING,
    ENCODINGS,
    OLDER_FORMATS,
    Configuration,
)
from coqui_server.transcription.wishes import terms

_OLDER_KEYS = {
    "input_audio_transcription": "transcription",
    "input_audio_noise_reduction": "noise_reduction",
    "turn_detection": "turn_detection",
}

_TEXTS = ("model", "language", "prompt")
_LONGEST_TEXT = 4000
"""Characters; a form of REST takes as many."""

_NUMBERS = {"threshold": 1, "prefix_padding_ms": 60_000, "silence_duration_ms": 600_000}
"""The highest values of `server_vad`."""

_EAGERNESS = ("low", "medium", "high", "auto")


def updated(before: Configuration, session: object) -> Configuration:
    """The configuration after an update with this session object.

    Raises:
        BadRequest: a value is not taken; the message says which one, and what is right.
    """
    values = _object(session, "session")
    if values.get("type", "transcription") != "transcription":
        raise BadRequest("session.type is transcription: there are no conversations here")
    changes: Json = {}
    if "include" in values:
        changes["include"] = tuple(_texts(values["include"] or [], "include"))
    wanted = _input(values)
    if wanted.get("format") is not None:
        changes |= _format(wanted["format"], before.rate)
    if "transcription" in wanted:
        changes["transcription"] = _transcription(before.transcription, wanted["transcription"])
    if "turn_detection" in wanted:
        turns = _turn_detection(before.turn_detection or {}, wanted["turn_detection"])
        changes["turn_detection"] = turns
    if "noise_reduction" in wanted:
        changes["noise_reduction"] = _noise(wanted["noise_reduction"])
    return replace(before, **changes)


def _input(values: Json) -> Json:
    """The part about the sound, from the newer form or the older one."""
    audio = _object(values.get("audio") or {}, "audio")
    wanted = dict(_object(audio.get("input") or {}, "audio.input"))
    wanted |= {new: values[old] for old, new in _OLDER_KEYS.items() if old in values}
    if (form := values.get("input_audio_format")) is not None:
        wanted["format"] = {"type": OLDER_FORMATS[_one_of(form, OLDER_FORMATS, "format")]}
    return wanted


def _format(given: object, rate: int) -> Json:
    form = _object(given, "format")
    name = _one_of(form.get("type"), ENCODINGS, "format.type")
    return {"format": name, "rate": RawFormat.of("linear16", form.get("rate", rate)).rate}


def _transcription(before: Mapping[str, Any], given: object) -> Json:
    names = (*_TEXTS, "keywords", "delay")
    said = _merged(before, _object(given, "transcription"), names)
    # Some clients leave a text empty where there is none.
    said = {name: value for name, value in said.items() if value != ""}
    for name in _TEXTS:
        text = said.get(name, "")
        if not isinstance(text, str) or len(text) > _LONGEST_TEXT:
            raise BadRequest(f"transcription.{name} is a text of at most {_LONGEST_TEXT} letters")
    if "keywords" in said:
        said["keywords"] = terms(_texts(said["keywords"], "transcription.keywords"))
    _one_of(said.get("delay", "medium"), AGREEING, "transcription.delay")
    return said


def _turn_detection(before: Mapping[str, Any], given: object) -> Json | None:
    if given is None:
        return None
    asked = _object(given, "turn_detection")
    kind = asked.get("type", before.get("type"))
    kept = before if kind == before.get("type") else {"type": kind}
    match kind:
        case "server_vad":
            turns = _merged(kept, asked, _NUMBERS)
            for name, highest in _NUMBERS.items():
                _check_number(turns.get(name, 0), highest, f"turn_detection.{name}")
            return turns
        case "semantic_vad":
            turns = _merged(kept, asked, ("eagerness",))
            _one_of(turns.get("eagerness", "auto"), _EAGERNESS, "turn_detection.eagerness")
            return turns
    raise BadRequest("turn_detection.type is server_vad or semantic_vad")


def _noise(given: object) -> Json | None:
    if given is None:
        return None
    noise = _object(given, "noise_reduction")
    kind = _one_of(noise.get("type"), ("near_field", "far_field"), "noise_reduction.type")
    return {"type": kind}


def _merged(before: Mapping[str, Any], given: Json, names: Collection[str]) -> Json:
    """The values of `names` after an update; null takes one away."""
    both = {**before, **{name: value for name, value in given.items() if name in names}}
    return {name: value for name, value in both.items() if value is not None}


def _object(value: object, name: str) -> Json:
    if not isinstance(value, dict):
        raise BadRequest(f"{name} is an object")
    return value


def _one_of(value: object, allowed: Collection[str], name: str) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise BadRequest(f"{name} is {', '.join(allowed)}")
    return value


def _check_number(value: object, highest: float, name: str) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value <= highest:  # type: ignore[operator]
        raise BadRequest(f"{name} is a number, 0 to {highest}")


def _texts(value: object, name: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise BadRequest(f"{name} is a list of texts")
    return value
