"""Segments cut into pieces that can be read in the time they are shown."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, chain, pairwise

from coqui_transcript.alignment import stretches
from coqui_transcript.transcript import Segment, Transcript, Word

LONGEST_SECONDS = 7.0
LONGEST_LINE = 42
"""Characters. Two lines of them, 7 seconds: Netflix Timed Text Style Guide, English."""

_LINES = 2

_PAUSE = 0.3
"""Seconds of silence between two words that are as good a place to cut as a comma."""

# Latin marks, then the Chinese and Japanese ones.
_STOPS = ".!?\u2026\u3002\uff01\uff1f"
_PAUSES = ",;:\uff0c\u3001\uff1b\uff1a"
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
"""A character of Chinese or Japanese, which need no spaces between words."""


@dataclass(frozen=True, slots=True)
class Cue:
    """One subtitle: whole milliseconds, `end` > `start` >= 0, text without line breaks."""

    start: int
    end: int
    text: str

    @property
    def lines(self) -> list[str]:
        """The text as it is shown: lines of at most 42 characters, unless a word is longer.

        There are two at most, but for a segment without words, which is not cut.
        """
        return _lines(self.text)


def cues(transcript: Transcript) -> list[Cue]:
    """The cues of a transcript in the order of time, as WebVTT wants them; segments without text
    give none.

    A segment longer than 7 s or two lines of 42 characters is cut between words until every piece
    fits or is one word: near its middle, rather after punctuation or a pause, and so that no word
    is left alone where that can be. Without words it stays whole. No letter of a segment's text is
    lost or repeated.
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
    prefix = _name(segment)
    whole = [Word(segment.text, segment.start, segment.end)]
    fits = not segment.words or _fits(whole, prefix)
    yield from map(_cue, [whole] if fits else _split(_slices(segment), prefix))


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


def _split(words: Sequence[Word], prefix: str) -> Iterator[Sequence[Word]]:
    if len(words) == 1 or _fits(words, prefix):
        yield words
        return
    cut = _cut(words)
    yield from _split(words[:cut], prefix)
    yield from _split(words[cut:], prefix)


def _cut(words: Sequence[Word]) -> int:
    """The index of the word to start the second half with, 1 to len(words) - 1."""
    # One more per word, so that empty words cannot put every cut at the same place.
    before = list(accumulate(len(word.text) + 1 for word in words))

    def rank(index: int) -> tuple[bool, int, float]:
        offset = abs(before[index - 1] / before[-1] - 0.5)
        shared = 1 < index < len(words) - 1
        weight = _weight(words[index - 1], words[index])
        return shared, 1 + weight if offset <= 0.25 else 0, -offset

    return max(range(1, len(words)), key=rank)


def _weight(word: Word, following: Word) -> int:
    """How good the place between two words is to cut: 2 after a sentence, 1 after a phrase."""
    last = word.text.rstrip()[-1:]
    if last and last in _STOPS:
        return 2
    return int((last != "" and last in _PAUSES) or following.start - word.end >= _PAUSE)


def _fits(words: Sequence[Word], prefix: str) -> bool:
    start, end = _span(words)
    lines = _lines(prefix + _joined(words))
    short = len(lines) <= _LINES and all(len(line) <= LONGEST_LINE for line in lines)
    return short and end - start <= LONGEST_SECONDS


def _lines(text: str) -> list[str]:
    """The text in two lines of much the same length, or in as many as it needs."""
    if len(text) <= LONGEST_LINE:
        return [text]
    places = range(max(1, len(text) - LONGEST_LINE - 1), min(len(text), LONGEST_LINE + 1))
    halves = [(text[:place], text[place:].lstrip()) for place in places if _breakable(text, place)]
    fitting = [half for half in halves if len(half[1]) <= LONGEST_LINE]
    if fitting:
        first, second = min(fitting, key=lambda half: abs(len(half[0]) - len(half[1])))
        return [first, second]
    return list(_full_lines(text))


def _full_lines(text: str) -> Iterator[str]:
    """Lines as long as they may be, or as their only word."""
    first = 0
    while len(text) - first > LONGEST_LINE:
        back = range(first + LONGEST_LINE, first, -1)
        on = range(first + LONGEST_LINE + 1, len(text))
        last = next((place for place in chain(back, on) if _breakable(text, place)), len(text))
        yield text[first:last]
        first = last + (text[last : last + 1] == " ")
    if first < len(text):
        yield text[first:]


def _breakable(text: str, place: int) -> bool:
    """Whether a line may end before this character: at a space, or in a text without spaces."""
    return text[place] == " " or bool(_UNSPACED.match(text[place]))


def _cue(words: Sequence[Word]) -> Cue:
    start, end = (max(0, round(seconds * 1000)) for seconds in _span(words))
    # WebVTT wants the end after the start; an engine may give a word no length.
    return Cue(start, max(end, start + 1), _joined(words))


def _span(words: Sequence[Word]) -> tuple[float, float]:
    return min(word.start for word in words), max(word.end for word in words)


def _joined(words: Sequence[Word]) -> str:
    # A line break inside a cue could end it; so could an empty line in SubRip.
    return " ".join("".join(word.text for word in words).split())
