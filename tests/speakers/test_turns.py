"""`coqui_server.speakers.turns`."""

from coqui_server.speakers.turns import Turn, speaker, split, turns
from coqui_transcript.transcript import Alternative, Segment, Word
from tests.speakers.made import voice

SAID = "Hello there. Good morning, Anna."
_TIMES = {"hello": 1.0, "there": 1.5, "good": 2.5, "morning": 3.0, "anna": 3.5}
WORDS = tuple(Word(text, start, start + 0.4) for text, start in _TIMES.items())
TWO = [Turn(0.9, 2.0, 0), Turn(2.4, 4.0, 1)]


def test_pieces_become_turns() -> None:
    """What follows without a pause is one turn; two people may speak at once."""
    voices = [voice(0, 0.0), voice(0, 2.0), voice(1, 3.0), voice(0, 5.0)]
    assert turns(voices, [0, 0, 1, 0]) == [Turn(0.0, 4.0, 0), Turn(3.0, 5.0, 1), Turn(5.0, 7.0, 0)]
    assert turns([], []) == []


def test_cut_at_the_turn() -> None:
    """Each part has its text as written, its own words and times, and its speaker."""
    segment = Segment(0.8, 4.2, SAID, WORDS, 0.9, (Alternative("else", 0.1),))
    first, second = split(segment, TWO)
    assert (first.text, first.speaker, first.start, first.end) == (
        "Hello there.",
        "Speaker 1",
        0.8,
        1.9,
    )
    assert (second.text, second.speaker, second.start, second.end) == (
        "Good morning, Anna.",
        "Speaker 2",
        2.5,
        4.2,
    )
    assert first.words + second.words == WORDS
    assert first.alternatives == second.alternatives == ()


def test_without_words_the_main_speaker() -> None:
    """The one who speaks longest, for the whole segment."""
    segment = Segment(0.8, 4.2, SAID)
    assert [part.speaker for part in split(segment, TWO)] == ["Speaker 2"]


def test_one_speaker_keeps_all() -> None:
    """Nothing but the speaker is changed; a short word of somebody else changes nothing."""
    segment = Segment(0.8, 4.2, SAID, WORDS, 0.9, (Alternative("else", 0.1),))
    (part,) = split(segment, [Turn(0.9, 4.0, 4)])
    assert part.speaker == "Speaker 5"
    assert (part.text, part.words, part.alternatives) == (SAID, WORDS, segment.alternatives)
    words = (*WORDS[:2], Word("good", 2.5, 2.7), *WORDS[3:])
    segment = Segment(0.8, 4.2, SAID, words)
    parts = split(segment, [Turn(0.9, 2.45, 0), Turn(2.5, 2.7, 1), Turn(2.8, 4.0, 0)])
    assert [part.text for part in parts] == [SAID]


def test_nobody_is_heard() -> None:
    """A segment without turns has no speaker; between two turns, it is the nearer one's."""
    assert split(Segment(0.0, 1.0, "Yes"), [])[0].speaker is None
    assert speaker(Segment(2.05, 2.2, "Yes"), TWO) == "Speaker 1"
    assert [part.speaker for part in split(Segment(0.8, 4.2, SAID, WORDS), [])] == [None]
