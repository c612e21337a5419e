"""`coqui_client.formats`, and the shared cues and subtitles, on transcripts made up here."""

import json
import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from coqui_client import formats
from coqui_client.formats import EXTENSIONS
from coqui_client.reply import Reply
from coqui_transcript.cues import LONGEST_CHARACTERS, LONGEST_SECONDS, cues
from coqui_transcript.transcript import Segment, Transcript, Word

CUE = re.compile(r"\d{2,}:[0-5]\d:[0-5]\d[.,]\d{3} --> \d{2,}:[0-5]\d:[0-5]\d[.,]\d{3}")


def transcript(*segments: Segment, text: str = "") -> Transcript:
    return Transcript(text, 60.0, segments)


def render(one: Transcript, form: str) -> str:
    """What the client writes of a reply with this transcript."""
    return formats.render(Reply(one, {"text": one.text}), form)


def spoken(text: str, separator: str = " ", seconds: float = 1.0) -> Segment:
    """A segment in which every word takes `seconds`."""
    parts = text.split(separator) if separator else list(text)
    words = tuple(
        Word(part.strip(".,"), index * seconds, (index + 1) * seconds)
        for index, part in enumerate(parts)
    )
    return Segment(0.0, len(parts) * seconds, text, words)


# What could break a format, and a few letters of one to four bytes.
letters = "ab1 .,<>&-\t\r\n\0\u2028\x85éЖ。日😀"
words = some.lists(
    some.tuples(some.text(letters, min_size=1, max_size=30), some.floats(0, 5), some.floats(0, 5)),
    min_size=1,
    max_size=40,
)


@some.composite
def segments(draw: some.DrawFn) -> Segment:
    """A segment whose words follow one another and make up its text."""
    clock, made, texts = draw(some.floats(0, 1e5)), [], []
    for text, pause, length in draw(words):
        made.append(Word(text, clock + pause, clock + pause + length))
        texts.append(text)
        clock += pause + length
    return Segment(made[0].start, made[-1].end, " ".join(texts), tuple(made))


def test_srt() -> None:
    """SubRip numbers its cues from 1 and has commas before the milliseconds."""
    made = render(transcript(Segment(0.0004, 1.5, "One"), Segment(3661.0, 3662.25, "Two")), "srt")
    assert made == (
        "1\n00:00:00,000 --> 00:00:01,500\nOne\n\n2\n01:01:01,000 --> 01:01:02,250\nTwo\n"
    )


def test_vtt_escapes() -> None:
    """WebVTT text has its three special characters escaped, and so no arrow."""
    made = render(transcript(Segment(0, 1, "a < b && c --> d")), "vtt")
    assert made == ("WEBVTT\n\n00:00:00.000 --> 00:00:01.000\na &lt; b &amp;&amp; c --&gt; d\n")


def test_tsv() -> None:
    """A table has whole milliseconds, and neither tabs nor line breaks in its text."""
    made = render(transcript(Segment(1.2345, 2.0, "a\tb\r\nc\u2028d")), "tsv")
    assert made == "start\tend\ttext\n1234\t2000\ta b c d\n"


def test_text_and_json() -> None:
    """Text is the transcript alone; JSON is the reply with its letters as they are."""
    one = transcript(text=" Привет \n")
    assert render(one, "text") == "Привет\n"
    assert "Привет" in render(one, "json")
    assert json.loads(render(one, "json")) == {"text": " Привет \n"}


@pytest.mark.parametrize("form", EXTENSIONS)
def test_silence(form: str) -> None:
    """A transcript without a word is a valid file without a cue in every format."""
    made = render(transcript(Segment(0, 1, "  ")), form)
    assert not CUE.search(made)
    assert made == "" or made.endswith("\n")


def test_text_without_segments_is_one_cue() -> None:
    """A reply with text and no segments is shown for the whole duration."""
    (cue,) = cues(transcript(text="Hello"))
    assert (cue.start, cue.end, cue.text) == (0, 60_000, "Hello")


def test_cut_after_a_sentence() -> None:
    """A long segment is cut near its middle, after a full stop rather than in a phrase."""
    made = cues(transcript(spoken("one two three. Four, five six seven eight")))
    assert [cue.text for cue in made] == ["one two three.", "Four, five six seven eight"]
    assert [(cue.start, cue.end) for cue in made] == [(0, 3000), (3000, 8000)]


def test_cut_without_spaces() -> None:
    """A language without spaces gets none where the words are cut."""
    text = "今天天气很好我们去公园散步吧然后回家"
    made = cues(transcript(spoken(text, separator="", seconds=0.5)))
    assert len(made) > 1
    assert "".join(cue.text for cue in made) == text


def test_words_that_differ_from_the_text() -> None:
    """Words that are not in the text are joined with spaces."""
    segment = spoken("one two three four five six seven eight")
    made = cues(transcript(Segment(0, 8, "1 2 3 4 5 6 7 8", segment.words)))
    assert " ".join(cue.text for cue in made) == "one two three four five six seven eight"


def test_long_without_words_stays_whole() -> None:
    """A long segment without words is not cut at times nobody measured."""
    (cue,) = cues(transcript(Segment(0, 30, "word " * 50)))
    assert (cue.start, cue.end) == (0, 30_000)


@given(segments())
def test_cues_keep_every_letter(segment: Segment) -> None:
    """However it is cut, a segment's text is all there, in order, once."""
    made = "".join(cue.text for cue in cues(transcript(segment)))
    assert "".join(made.split()) == "".join(segment.text.split())


@given(segments())
def test_cues_fit_and_follow(segment: Segment) -> None:
    """Cues of several words keep to 7 s; all have a length and follow one another."""
    made = cues(transcript(segment))
    for cue in made:
        assert cue.end > cue.start >= 0
        starts = sum(cue.start <= word.start * 1000 + 0.5 < cue.end for word in segment.words)
        if starts > 1 and len(made) > 1:
            assert cue.end - cue.start <= LONGEST_SECONDS * 1000 + 1
    assert all(first.start <= second.start for first, second in pairwise(made))


@given(some.lists(some.text(alphabet="ab cde.,", min_size=1, max_size=9), min_size=1, max_size=60))
def test_short_words_make_short_cues(texts: list[str]) -> None:
    """Words of readable length never make a cue longer than two lines."""
    spaced = [text.replace(" ", "") or "a" for text in texts]
    made = cues(transcript(spoken(" ".join(spaced), seconds=0.1)))
    assert all(len(cue.text) <= LONGEST_CHARACTERS for cue in made)


@settings(max_examples=30)
@given(some.lists(segments(), max_size=4), some.sampled_from(["srt", "vtt", "tsv"]))
def test_files_keep_their_shape(parts: list[Segment], form: str) -> None:
    """Whatever is said, no text can be taken for another cue, block or column."""
    one = transcript(*parts)
    made, count = render(one, form), len(cues(one))
    if form == "tsv":
        assert [line.count("\t") for line in made.split("\n")] == [2] * (count + 1) + [0]
    else:
        assert len(made.split("\n\n")) == max(1, count) + (form == "vtt" and count > 0)
    if form == "vtt":
        assert made.count("-->") == count
