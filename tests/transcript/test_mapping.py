"""`coqui_transcript.mapping`: there and back, and what it refuses."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from coqui_transcript.mapping import segment_from_json, transcript_from_json, transcript_to_json
from coqui_transcript.transcript import Alternative, Segment, Transcript, Word

thousandths = some.integers(0, 10**8).map(lambda number: number / 1000)
shares = some.none() | some.integers(0, 1000).map(lambda number: number / 1000)
words = some.builds(Word, some.text(), thousandths, thousandths, shares)
readings = some.builds(Alternative, some.text(), thousandths)
segments = some.builds(
    Segment,
    thousandths,
    thousandths,
    some.text(),
    words=some.lists(words, max_size=5).map(tuple),
    confidence=shares,
    alternatives=some.lists(readings, max_size=3).map(tuple),
    speaker=some.none() | some.text(),
)


@given(some.lists(segments, max_size=4), thousandths)
def test_there_and_back(parts: list[Segment], duration: float) -> None:
    """What is written is read back the same, through real JSON."""
    transcript = Transcript.of(parts, duration)
    assert (
        transcript_from_json(json.loads(json.dumps(transcript_to_json(transcript)))) == transcript
    )


def test_what_is_not_known_is_left_out() -> None:
    """A segment without words and confidence has its times and its text alone."""
    transcript = Transcript.of([Segment(0.12345, 1.0, "Hi.")], 2.0)
    assert transcript_to_json(transcript) == {
        "text": "Hi.",
        "duration": 2.0,
        "segments": [{"start": 0.123, "end": 1.0, "text": "Hi."}],
    }


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"start": None}, "no number in 'start'"),
        ({"end": True}, "no number in 'end'"),
        ({"end": float("inf")}, "no number in 'end'"),
        ({"text": 5}, "no text in 'text'"),
        ({"words": {}}, None),
        ({"words": [1]}, "no list of objects in 'words'"),
        ({"words": [{"word": "a", "start": 0}]}, "no number in 'end'"),
        ({"confidence": "high"}, "no number in 'confidence'"),
        ({"alternatives": [{"text": "a"}]}, "no number in 'confidence'"),
        ({"speaker": 1}, "no text in 'speaker'"),
    ],
)
def test_another_shape_is_refused(changed: dict[str, Any], message: str | None) -> None:
    """The message names the key; an empty value where a list could be is none."""
    fields = {"start": 0, "end": 1, "text": "a", **changed}
    if message is None:
        assert segment_from_json(fields) == Segment(0.0, 1.0, "a")
    else:
        with pytest.raises(ValueError, match=message):
            segment_from_json(fields)
