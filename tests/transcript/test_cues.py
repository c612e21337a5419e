"""`coqui_transcript.cues`."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as some

from coqui_transcript.cues import LONGEST_LINE, LONGEST_SECONDS, cues
from coqui_transcript.transcript import Segment, Word
from tests.support.transcripts import segments, timed, transcript


def test_text_without_segments_is_one_cue() -> None:
    """A reply with text and no segments is shown for the whole duration."""
    (cue,) = cues(transcript(text="Hello"))
    assert (cue.start, cue.end, cue.text) == (0, 60_000, "Hello")


def test_cut_after_a_sentence() -> None:
    """A long segment is cut near its middle, after a full stop rather than in a phrase."""
    made = cues(transcript(timed("one two three. Four, five six seven eight")))
    assert [cue.text for cue in made] == ["one two three.", "Four, five six seven eight"]
    assert [(cue.start, cue.end) for cue in made] == [(0, 3000), (3000, 8000)]


def test_cut_without_spaces() -> None:
    """A language without spaces gets none where the words are cut."""
    text = "今天天气很好我们去公园散步吧然后回家"
    made = cues(transcript(timed(text, separator="", seconds=0.5)))
    assert len(made) > 1
    assert "".join(cue.text for cue in made) == text


def test_words_that_differ_from_the_text() -> None:
    """What is written otherwise than it was spoken stays in one piece, with the times of all."""
    segment = timed("call now one two three or come to us at once")
    text = "Call now 123 or come to us at once"
    made = cues(transcript(Segment(0, 11, text, segment.words)))
    assert [cue.text for cue in made] == ["Call now 123 or", "come to us at once"]
    assert [(cue.start, cue.end) for cue in made] == [(0, 6000), (6000, 11_000)]


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
    """Words of readable length never make more than two lines of 42 characters, and none of them is
    left alone beside others."""
    spaced = [text.replace(" ", "") or "a" for text in texts]
    made = cues(transcript(timed(" ".join(spaced), seconds=0.1)))
    for cue in made:
        assert len(cue.lines) <= 2
        assert all(len(line) <= LONGEST_LINE for line in cue.lines)
        assert " ".join(cue.lines) == cue.text
        assert " " in cue.text or len(made) == 1


def test_lines_of_much_the_same_length() -> None:
    """A cue is shown in two lines as soon as one is too long, and a word is never broken."""
    (cue,) = cues(transcript(timed("Hello, this is Anna from the dental office.", seconds=0.3)))
    assert cue.lines == ["Hello, this is Anna", "from the dental office."]
    (cue,) = cues(transcript(Segment(0, 2, "a" * 50)))
    assert cue.lines == ["a" * 50]
    (cue,) = cues(transcript(Segment(0, 2, "公" * 60)))
    assert cue.lines == ["公" * 30, "公" * 30]


def test_lines_of_a_long_text_without_times() -> None:
    """It is one cue of as many lines as it needs, however many those are."""
    (cue,) = cues(transcript(Segment(0, 30, "word " * 100_000)))
    assert len(cue.lines) == 12_500
    assert {len(line) for line in cue.lines} == {39}


def test_no_word_is_left_alone() -> None:
    """The last word of a sentence is not cut off, even if a phrase ends in the middle before it."""
    text = "no I never said that, incomprehensibilities"
    made = [cue.text for cue in cues(transcript(timed(text, seconds=1.3)))]
    assert made == ["no I never said", "that, incomprehensibilities"]


def test_cut_at_a_pause() -> None:
    """Where the speaker paused, rather than in the very middle."""
    words = [(f"word{index}", index * 0.4 + (index > 8) * 1.0) for index in range(16)]
    timings = tuple(Word(word, start, start + 0.35) for word, start in words)
    made = cues(transcript(Segment(0, 8, " ".join(word for word, _ in words), timings)))
    assert [len(cue.text.split()) for cue in made] == [9, 7]


def test_two_people_at_once() -> None:
    """The cues of a long segment and of one that begins in the middle of it are in the order of
    time, each after its speaker's name."""
    long = replace(timed("one two three. Four, five six seven eight"), speaker="left")
    short = Segment(1.5, 2.5, "yes", speaker="right")
    made = cues(transcript(long, short))
    assert [(cue.start, cue.text) for cue in made] == [
        (0, "left: one two three."),
        (1500, "right: yes"),
        (3000, "left: Four, five six seven eight"),
    ]


@given(segments(), some.text("ab: ", max_size=20))
def test_a_name_takes_room(segment: Segment, name: str) -> None:
    """A cue with a name is no longer than one without, unless it is one word; no letter is lost."""
    plain, named = cues(transcript(segment)), cues(transcript(replace(segment, speaker=name)))
    prefix = f"{' '.join(name.split())}: " if name.strip() else ""
    texts = [cue.text for cue in named]
    assert not texts or texts[0].startswith(prefix)
    texts[:1] = [text.removeprefix(prefix) for text in texts[:1]]
    assert sorted("".join("".join(texts).split())) == sorted(
        "".join("".join(cue.text for cue in plain).split())
    )
    assert all(len(cue.text) <= max(2 * LONGEST_LINE + 1, len(prefix) + 31) for cue in named)
