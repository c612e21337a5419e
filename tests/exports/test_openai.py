"""The JSON of OpenAI's API, from transcripts alone."""

import json
import math

import pytest

from coqui_server.exports import openai
from coqui_server.exports.languages import language_name
from coqui_transcript.transcript import Segment, Transcript, Word

SURE = Segment(0.0, 1.0, "ja ja ja", (Word("ja", 0.0, 0.4, 1.0), Word("ja", 0.5, 1.0, 0.0)), 0.5)
PLAIN = Segment(1.5, 2.0004, "好", speaker="right", channel=2)
BOTH = Transcript.of((SURE, PLAIN), 2.5)


def test_nothing_was_said() -> None:
    """A transcript without segments has every key."""
    nothing = Transcript.of((), 0.0)
    assert openai.plain(nothing, logprobs=True)["text"] == ""
    assert openai.verbose(nothing, None, words=True)["segments"] == []
    assert openai.diarized(nothing)["segments"] == []
    assert openai.Stream(logprobs=True).done(nothing) == {
        "type": "transcript.text.done",
        "text": "",
    }


def test_confidences_are_logarithms() -> None:
    """Also of 0, which has none: the JSON has no infinity in it."""
    said = openai.verbose(BOTH, "en", words=True)
    first, second = said["segments"]
    assert first["avg_logprob"] == pytest.approx(math.log(0.5), abs=1e-6)
    assert second["avg_logprob"] == 0.0
    assert (second["start"], second["end"]) == (1.5, 2.0)
    parts = openai.plain(BOTH, logprobs=True)["logprobs"]
    assert [part["token"] for part in parts] == ["ja", "ja"]
    assert parts[0]["logprob"] == 0.0
    assert parts[1]["logprob"] < -20
    json.dumps([said, parts], allow_nan=False)


def test_names_are_those_of_channels() -> None:
    """A channel without a name keeps its own, and a segment without a channel gets none."""
    told = [segment["speaker"] for segment in openai.diarized(BOTH, ["agent"])["segments"]]
    assert told == ["unknown", "right"]
    told = [segment["speaker"] for segment in openai.diarized(BOTH, ["a", "b"])["segments"]]
    assert told == ["unknown", "b"]


def test_a_stream_adds_up() -> None:
    """The deltas are the text, and each segment has the id of its delta."""
    stream = openai.Stream(openai.Speakers(()))
    events = [event for segment in BOTH.segments for event in stream.segment(segment)]
    assert "".join(event.get("delta", "") for event in events) == BOTH.text
    assert [event.get("segment_id") or event["id"] for event in events] == [
        "seg_0",
        "seg_0",
        "seg_1",
        "seg_1",
    ]


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("en-GB", "english"),
        ("KO", "korean"),
        ("ht", "haitian creole"),
        ("eo", "eo"),
        (None, "unknown"),
    ],
)
def test_names_of_languages(tag: str | None, name: str) -> None:
    """By the language alone; an unknown one is called by its tag."""
    assert language_name(tag) == name
