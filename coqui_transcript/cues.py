"""Segments cut into pieces that can be read in the time they are shown."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from coqui_transcript.alignment import stretches
from coqui_transcript.transcript import Segment, Transcript, Word

LONGEST_SECONDS = 7.0
LONGEST_CHARACTERS = 84
"""Two lines of 42 characters, 7 seconds: Netflix Timed Text Style Guide, English."""

# Latin marks, then the Chinese and Japanese ones.
_STOPS = ".!?\u2026\u3002\uff01\uff1f"
_PAUSES = ",;:\uff0c\u3001\uff1b\uff1a"


@dataclass(frozen=True, slots=True)
class Cue:
    """One line of subtitles: whole milliseconds, `end` > `start` >= 0, text without line breaks."""

    start: int
    end: int
    text: str


def cues(transcript: Transcript) -> list[Cue]:
    """The cues of a transcript in the order of time, as WebVTT wants them; segments without text
    give none.

    A segment longer than 7 s or 84 characters is cut between words, near its middle and rather
    after punctuation, until every piece fits or is one word. Without words it stays whole. No
    letter of a segment's text is lost or repeated.
    """
    segments = transcript.segments or (Segment(0.0, transcript.duration, transcript.text),)
    made = [(segment, cue) for segment in segments for cue in _of_segment(segment) if cue.text]
    # Stable: people who speak at once have cues between each other's.
    made.sort(key=lambda pair: pair[1].start)
    before = [None, *(segment for segment, _ in made)]
    return [
        cue if segment is last else replace(cue, text=f"{_name(segment)}{cue.text}")
        for last, (segment, cue) in zip(before, made, strict=False)
    ]


def _name(segment: Segment) -> str:
    """What the first cue of a segment begins with, and each that comes after another's."""
    name = " ".join((segment.speaker or "").split())
    return f"{name}: " if name else ""


def _of_segment(segment: Segment) -> Iterator[Cue]:
    room = LONGEST_CHARACTERS - len(_name(segment))
    whole = [Word(segment.text, segment.start, segment.end)]
    fits = not segment.words or _fits(whole, room)
    yield from map(_cue, [whole] if fits else _split(_slices(segment), room))


def _slices(segment: Segment) -> list[Word]:
    """The words, each with the text from its first letter to the next word's.

    The segment's own text is cut, so that its spaces and punctuation stay as they are (there are
    no spaces in Chinese). Words that are written otherwise stay together.
    """
    text = segment.text
    found = stretches(text, segment.words)
    if not found:
        return [Word(text, segment.start, segment.end)]
    edges = [0, *(piece.first for piece in found[1:]), len(text)]
    return [
        Word(text[first:last], piece.start, piece.end)
        for piece, (first, last) in zip(found, pairwise(edges), strict=True)
    ]


def _split(words: Sequence[Word], room: int) -> Iterator[Sequence[Word]]:
    if len(words) == 1 or _fits(words, room):
        yield words
        return
    cut = _cut(words)
    yield from _split(words[:cut], room)
    yield from _split(words[cut:], room)


def _cut(words: Sequence[Word]) -> int:
    """The index of the word to start the second half with, 1 to len(words) - 1."""
    # One more per word, so that empty words cannot put every cut at the same place.
    sizes = [len(word.text) + 1 for word in words]
    total = sum(sizes)
    best, place, before = (0, 0.0), 1, 0
    for index in range(1, len(words)):
        before += sizes[index - 1]
        offset = abs(before / total - 0.5)
        rank = (1 + _weight(words[index - 1].text) if offset <= 0.25 else 0, -offset)
        if index == 1 or rank > best:
            best, place = rank, index
    return place


def _weight(text: str) -> int:
    last = text.rstrip()[-1:]
    if not last:
        return 0
    return 2 if last in _STOPS else int(last in _PAUSES)


def _fits(words: Sequence[Word], room: int) -> bool:
    start, end = _span(words)
    return end - start <= LONGEST_SECONDS and len(_joined(words)) <= room


def _cue(words: Sequence[Word]) -> Cue:
    start, end = (max(0, round(seconds * 1000)) for seconds in _span(words))
    # WebVTT wants the end after the start; an engine may give a word no length.
    return Cue(start, max(end, start + 1), _joined(words))


def _span(words: Sequence[Word]) -> tuple[float, float]:
    return min(word.start for word in words), max(word.end for word in words)


def _joined(words: Sequence[Word]) -> str:
    # A line break inside a cue could end it; so could an empty line in SubRip.
    return " ".join("".join(word.text for word in words).split())
