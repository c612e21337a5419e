"""The JSON of OpenAI's transcription API, which servers of Whisper write too. No I/O.

The keys are those of the types in the official `openai` package (`openai.types.audio`). Those that
only Whisper's own decoder has are there, because clients read them, with values that say nothing.
"""

import math
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from coqui_server.exports.languages import language_name
from coqui_transcript.transcript import Segment, Transcript, Word

Json = dict[str, Any]

UNKNOWN_SPEAKER = "unknown"
"""The types need a speaker of each segment, and for most files nobody knows one."""


def plain(transcript: Transcript, *, logprobs: bool = False) -> Json:
    """`json`: the text, and if asked for the log probability of each word, where the engine has
    confidences of words."""
    fields: Json = {"text": transcript.text, "usage": _usage(transcript)}
    if logprobs and (found := list(word_logprobs(transcript.segments))):
        fields["logprobs"] = found
    return fields


def verbose(
    transcript: Transcript,
    language: str | None,
    *,
    words: bool = False,
    task: str = "transcribe",
) -> Json:
    """`verbose_json`: the segments, and if asked for the words, where the engine has their times.

    Args:
        language: of the text, as a BCP 47 tag.
    """
    fields: Json = {
        "task": task,
        "language": language_name(language),
        "duration": round(transcript.duration, 3),
        "text": transcript.text,
        "segments": segments(transcript),
        "usage": _usage(transcript),
    }
    timed = [_word(word) for segment in transcript.segments for word in segment.words]
    if words and timed:
        fields["words"] = timed
    return fields


def segments(transcript: Transcript, *, words: bool = False) -> list[Json]:
    """The segments as Whisper describes them, with their words if asked for.

    `seek`, `tokens`, `temperature` and `no_speech_prob` say nothing. `avg_logprob` is the logarithm
    of the confidence, which for Whisper is the mean of its tokens; 0 without one.
    """
    described = []
    for number, segment in enumerate(transcript.segments):
        fields = {
            "id": number,
            "seek": 0,
            "start": round(segment.start, 3),
            "end": round(segment.end, 3),
            "text": segment.text,
            "tokens": [],
            "temperature": 0.0,
            "avg_logprob": _logarithm(segment.confidence),
            "compression_ratio": _compression(segment.text),
            "no_speech_prob": 0.0,
        }
        if words and segment.words:
            fields["words"] = [
                _word(word) | ({} if word.confidence is None else {"probability": word.confidence})
                for word in segment.words
            ]
        described.append(fields)
    return described


def diarized(transcript: Transcript, names: Sequence[str] = ()) -> Json:
    """`diarized_json`: the segments with their speakers. `names` as `Speakers` has them."""
    speakers = Speakers(names)
    return {
        "task": "transcribe",
        "duration": round(transcript.duration, 3),
        "text": transcript.text,
        "segments": [
            speakers.segment(number, segment) for number, segment in enumerate(transcript.segments)
        ],
        "usage": _usage(transcript),
    }


class Speakers:
    """The speakers of one transcript.

    Args:
        names: of the speakers on the channels of the file, from its first channel on. A speaker
            without one is called as the segment says.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def segment(self, number: int, segment: Segment) -> Json:
        """A segment of `diarized_json`, also the event of a stream."""
        return {
            "type": "transcript.text.segment",
            "id": _segment_id(number),
            "start": round(segment.start, 3),
            "end": round(segment.end, 3),
            "text": segment.text,
            "speaker": self._name(segment),
        }

    def _name(self, segment: Segment) -> str:
        if segment.channel is not None and segment.channel <= len(self._names):
            return self._names[segment.channel - 1]
        return segment.speaker or UNKNOWN_SPEAKER


def _segment_id(number: int) -> str:
    return f"seg_{number}"


class Stream:
    """The events of a transcript that is told segment by segment. The deltas add up to its text.

    Args:
        speakers: for `diarized_json`: a segment with its speaker follows each delta.
        logprobs: as in `plain`.
    """

    def __init__(self, speakers: Speakers | None = None, *, logprobs: bool = False) -> None:
        self._speakers = speakers
        self._logprobs = logprobs
        self._count = 0

    def segment(self, segment: Segment) -> list[Json]:
        """The events of the next segment."""
        number, space = self._count, " " if self._count else ""
        self._count += 1
        delta: Json = {"type": "transcript.text.delta", "delta": f"{space}{segment.text}"}
        self._add_logprobs(delta, [segment])
        if self._speakers is None:
            return [delta]
        delta["segment_id"] = _segment_id(number)
        return [delta, self._speakers.segment(number, segment)]

    def done(self, transcript: Transcript) -> Json:
        """The last event."""
        event: Json = {"type": "transcript.text.done", "text": transcript.text}
        self._add_logprobs(event, transcript.segments)
        return event

    def _add_logprobs(self, event: Json, segments: Iterable[Segment]) -> None:
        if self._logprobs and (found := list(word_logprobs(segments))):
            event["logprobs"] = found


def word_logprobs(segments: Iterable[Segment]) -> Iterator[Json]:
    """The log probability of each word that has a confidence, in the place of tokens."""
    for segment in segments:
        for word in segment.words:
            if word.confidence is not None:
                yield {
                    "token": word.text,
                    "logprob": _logarithm(word.confidence),
                    "bytes": list(word.text.encode()),
                }


def error(message: str, status: int, *, code: str | None = None, param: str | None = None) -> Json:
    """The object of a refusal. `param` is the field that is wrong."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def model(name: str, created: int, owner: str) -> Json:
    """A model. `created` is in seconds since 1970."""
    return {"id": name, "object": "model", "created": created, "owned_by": owner}


def _word(word: Word) -> Json:
    return {"word": word.text, "start": round(word.start, 3), "end": round(word.end, 3)}


def _usage(transcript: Transcript) -> Json:
    return {"type": "duration", "seconds": math.ceil(transcript.duration)}


_LEAST = 1e-10
"""A logarithm of 0 is no number in JSON."""


def _logarithm(confidence: float | None) -> float:
    return 0.0 if confidence is None else round(math.log(max(confidence, _LEAST)), 6)


def _compression(text: str) -> float:
    """How many times smaller the text becomes, by Whisper's own rule (`whisper/utils.py`)."""
    data = text.encode()
    return round(len(data) / len(zlib.compress(data)), 6)
