"""Transcripts as Deepgram's JSON has them."""

from coqui_server.protocols.deepgram_shapes import alternative, channels, utterances
from coqui_transcript.transcript import Segment, Word

CALL = Segment(
    1.0,
    3.0,
    "Call 555, Anna.",
    tuple(
        Word(text, 1.0 + n * 0.4, 1.3 + n * 0.4, 0.5 + n / 10)
        for n, text in enumerate(["call", "five", "five", "five", "anna"])
    ),
    0.8,
)


def test_words_as_they_are_written() -> None:
    """Words that are written together are one, with the marks that touch them."""
    words = alternative([CALL])["words"]
    assert [word["punctuated_word"] for word in words] == ["Call", "555,", "Anna."]
    assert [word["word"] for word in words] == ["call", "555", "anna"]
    assert [word["start"] for word in words] == [1.0, 1.4, 2.6]
    assert [word["end"] for word in words] == [1.3, 2.5, 2.9]
    assert [word["confidence"] for word in words] == [0.5, 0.6, 0.9]


def test_without_words_and_confidence() -> None:
    """There are none, and the confidence is full, as clients compute with it."""
    assert alternative([Segment(0, 1, "Yes.")]) == {
        "transcript": "Yes.",
        "confidence": 1.0,
        "words": [],
    }
    assert alternative([]) == {"transcript": "", "confidence": 0.0, "words": []}


def test_channels_and_utterances() -> None:
    """A channel has what was said on it; utterances are in the order of speech."""
    said = [
        Segment(0, 1, "Hello.", channel=2),
        Segment(1, 2, "Hi.", channel=1),
        Segment(2, 3, "Bye.", channel=2),
    ]
    found = channels(said, 3, paragraphs=False)
    texts = [channel["alternatives"][0]["transcript"] for channel in found]
    assert texts == ["Hi.", "Hello. Bye.", ""]
    assert [(one["channel"], one["transcript"]) for one in utterances(said)] == [
        (1, "Hello."),
        (0, "Hi."),
        (1, "Bye."),
    ]


def test_paragraphs() -> None:
    """A long pause begins another one."""
    said = [Segment(0, 1, "One two."), Segment(1.5, 2, "Three."), Segment(4.1, 5, "Four.")]
    (channel,) = channels(said, 1, paragraphs=True)
    found = channel["alternatives"][0]["paragraphs"]
    assert found["transcript"] == "\nOne two. Three.\n\nFour."
    shown = [(part["start"], part["end"], part["num_words"]) for part in found["paragraphs"]]
    assert shown == [(0, 2, 3), (4.1, 5, 1)]
