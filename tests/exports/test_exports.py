"""`coqui_server.exports`: the table of formats, and those that are text."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings

from coqui_client.reply import parse
from coqui_server.exports import FORMATS, Document
from coqui_server.exports.document import INVISIBLE
from coqui_transcript.transcript import Segment, Word
from tests.exports.made import HOSTILE, KOREAN, PERSIAN, document, documents


def exported(document: Document, name: str) -> str:
    return FORMATS[name].render(document).decode()


def two_speakers() -> Document:
    words = (Word("Good", 0.5, 0.8, 0.9), Word("morning.", 0.8, 1.5))
    return replace(
        document(),
        duration=8.0,
        segments=(
            Segment(0.5, 1.5, "Good morning.", words, speaker="Anna"),
            Segment(2.0, 4.0, PERSIAN, speaker="مینا"),
        ),
    )


def test_table() -> None:
    """The issue's formats, each with its media type and a name of its own."""
    assert list(FORMATS) == ["txt", "srt", "vtt", "json", "docx", "pdf"]
    assert all(made.extension == name for name, made in FORMATS.items())
    assert len({made.media_type for made in FORMATS.values()}) == len(FORMATS)


def test_text() -> None:
    """A line for each segment, after who said it."""
    assert exported(two_speakers(), "txt") == f"Anna: Good morning.\nمینا: {PERSIAN}\n"
    assert exported(document("One.", "Two."), "txt") == "One.\nTwo.\n"


def test_subtitles() -> None:
    """The client's cues, with the speakers' names in them, in lines of at most 42 characters."""
    two_lines = PERSIAN.replace("فارسی ", "فارسی\n")
    assert exported(two_speakers(), "srt") == (
        "1\n00:00:00,500 --> 00:00:01,500\nAnna: Good morning.\n\n"
        f"2\n00:00:02,000 --> 00:00:04,000\nمینا: {two_lines}\n"
    )
    assert exported(document("a < b"), "vtt") == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:04.500\na &lt; b\n"
    )


def test_long_segment_is_cut() -> None:
    """A segment that is too long to be read becomes several cues; the first has its speaker."""
    said = [f"word{n}" for n in range(40)]
    words = tuple(Word(word, n, n + 0.9) for n, word in enumerate(said))
    long = Segment(0.0, 40.0, " ".join(said), words, speaker="Bob")
    lines = exported(replace(document(), segments=(long,)), "srt").splitlines()
    spoken = [line for line in lines if "word" in line]
    assert len(spoken) > 4
    assert " ".join(spoken) == f"Bob: {long.text}"


def test_json() -> None:
    """All there is to know, and what the client can read as a reply."""
    made = exported(two_speakers(), "json")
    assert json.loads(made) == {
        "title": "Voicemail",
        "when": "2026-11-21T18:27:00+00:00",
        "engine": "moonshine",
        "duration": 8.0,
        "text": f"Good morning. {PERSIAN}",
        "segments": [
            {
                "start": 0.5,
                "end": 1.5,
                "text": "Good morning.",
                "speaker": "Anna",
                "words": [
                    {"word": "Good", "start": 0.5, "end": 0.8, "confidence": 0.9},
                    {"word": "morning.", "start": 0.8, "end": 1.5},
                ],
            },
            {"start": 2.0, "end": 4.0, "text": PERSIAN, "speaker": "مینا"},
        ],
    }
    assert parse(made).transcript.segments[0].words[1].text == "morning."


def test_hostile_text_is_text() -> None:
    """Controls, overrides of direction and half characters go; marks of markup stay marks."""
    kept = "<b>a & b</b> {nb} --> [31mgnp **c** ]]>"
    assert exported(document(HOSTILE), "txt") == f"{kept}\n"
    assert exported(document(HOSTILE, KOREAN), "srt").splitlines()[2] == kept
    assert "-->" not in exported(document(HOSTILE), "vtt").splitlines()[3]


def test_composed() -> None:
    """A name in the parts that macOS writes it in is the same name."""
    parts = "\u1112\u1161\u11ab\u1100\u1173\u11af cafe\u0301"
    assert exported(document(parts), "txt") == "한글 café\n"


@pytest.mark.parametrize("name", ["txt", "srt", "vtt", "json"])
@given(made=documents)
@settings(max_examples=40, deadline=None)
def test_any_text(name: str, made: Document) -> None:
    """No text keeps a transcript from being exported, or gets a control into it."""
    assert all(
        letter.isprintable() or letter in f"{INVISIBLE}\n" for letter in exported(made, name)
    )
