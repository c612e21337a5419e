"""Transcripts made up for tests, and the hypothesis strategies that draw them."""

from hypothesis import strategies as some

from coqui_transcript.transcript import Segment, Transcript, Word


def transcript(*segments: Segment, text: str = "") -> Transcript:
    return Transcript(text, 60.0, segments)


def timed(text: str, separator: str = " ", seconds: float = 1.0) -> Segment:
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
