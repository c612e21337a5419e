"""`coqui_transcript.subtitles`."""

from hypothesis import given, settings
from hypothesis import strategies as some

from coqui_transcript import subtitles
from coqui_transcript.cues import cues
from coqui_transcript.transcript import Segment
from tests.support.transcripts import segments, transcript


def test_srt() -> None:
    """SubRip numbers its cues from 1 and has commas before the milliseconds."""
    made = subtitles.srt(transcript(Segment(0.0004, 1.5, "One"), Segment(3661.0, 3662.25, "Two")))
    assert made == (
        "1\n00:00:00,000 --> 00:00:01,500\nOne\n\n2\n01:01:01,000 --> 01:01:02,250\nTwo\n"
    )


def test_vtt_escapes() -> None:
    """WebVTT text has its three special characters escaped, and so no arrow."""
    made = subtitles.vtt(transcript(Segment(0, 1, "a < b && c --> d")))
    assert made == ("WEBVTT\n\n00:00:00.000 --> 00:00:01.000\na &lt; b &amp;&amp; c --&gt; d\n")


def test_tsv() -> None:
    """A table has whole milliseconds, and neither tabs nor line breaks in its text."""
    made = subtitles.tsv(transcript(Segment(1.2345, 2.0, "a\tb\r\nc\u2028d")))
    assert made == "start\tend\ttext\n1234\t2000\ta b c d\n"


@settings(max_examples=30)
@given(some.lists(segments(), max_size=4), some.sampled_from(["srt", "vtt", "tsv"]))
def test_files_keep_their_shape(parts: list[Segment], form: str) -> None:
    """Whatever is said, no text can be taken for another cue, block or column."""
    one = transcript(*parts)
    made, count = getattr(subtitles, form)(one), len(cues(one))
    if form == "tsv":
        assert [line.count("\t") for line in made.split("\n")] == [2] * (count + 1) + [0]
    else:
        assert len(made.split("\n\n")) == max(1, count) + (form == "vtt" and count > 0)
    if form == "vtt":
        assert made.count("-->") == count
