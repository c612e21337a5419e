"""Whose the words are: turns of people, and the segments of a transcript that follow them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from coqui_server.speakers.voices import Voice
from coqui_transcript.alignment import Stretch, stretches
from coqui_transcript.transcript import Segment, Word

_SHORTEST = 0.3
"""Seconds of words that are too short for a change of the speaker."""


@dataclass(frozen=True)
class Turn:
    """From when to when a person speaks, in seconds. Turns of two people may overlap."""

    start: float
    end: float
    person: int

    def shared(self, start: float, end: float) -> float:
        """The seconds of it between two moments; negative if it is so far away."""
        return min(self.end, end) - max(self.start, start)


def turns(voices: Sequence[Voice], people: Sequence[int]) -> list[Turn]:
    """The turns of people, in order, those that follow without a pause as one."""
    joined: list[Turn] = []
    last: dict[int, int] = {}
    pieces = (Turn(v.start, v.end, p) for v, p in zip(voices, people, strict=True))
    for turn in sorted(pieces, key=lambda turn: turn.start):
        place = last.get(turn.person)
        if place is not None and joined[place].end >= turn.start - 1e-3:
            end = max(joined[place].end, turn.end)
            joined[place] = replace(joined[place], end=end)
        else:
            last[turn.person] = len(joined)
            joined.append(turn)
    return joined


def speaker(segment: Segment, turns: Sequence[Turn]) -> str | None:
    """The name of who speaks longest in a segment; None where nobody is heard near it."""
    person = _person(turns, segment.start, segment.end)
    return None if person is None else _name(person)


def split(segment: Segment, turns: Sequence[Turn]) -> list[Segment]:
    """The segment with its speaker; cut where the speaker changes, if its words have times."""
    runs = list(_runs(stretches(segment.text, segment.words), turns))
    if len(runs) < 2:
        return [replace(segment, speaker=speaker(segment, turns))]
    cuts = [0, *(run[0].first for _, run in runs[1:]), len(segment.text)]
    moments = [segment.start, *(run[0].start for _, run in runs[1:])]
    ends = [*(run[-1].end for _, run in runs[:-1]), segment.end]
    return [
        replace(
            segment,
            start=moments[place],
            end=ends[place],
            text=segment.text[cuts[place] : cuts[place + 1]].strip(),
            words=_words(segment, run),
            alternatives=(),
            speaker=_name(person),
        )
        for place, (person, run) in enumerate(runs)
    ]


def _name(person: int) -> str:
    """What people call somebody whose name is not known."""
    return f"Speaker {person + 1}"


def _person(turns: Sequence[Turn], start: float, end: float) -> int | None:
    """Who speaks longest between two moments, or else nearest to them."""
    if not turns:
        return None
    seconds: dict[int, float] = defaultdict(float)
    for turn in turns:
        seconds[turn.person] += max(0.0, turn.shared(start, end))
    person = max(seconds, key=seconds.__getitem__)
    if seconds[person] > 0:
        return person
    return max(turns, key=lambda turn: turn.shared(start, end)).person


def _runs(found: Sequence[Stretch], turns: Sequence[Turn]) -> list[tuple[int, list[Stretch]]]:
    """The words that one person says without another, one run after the other."""
    runs: list[tuple[int, list[Stretch]]] = []
    people = ((_person(turns, piece.start, piece.end), piece) for piece in found)
    for person, pieces in groupby(people, key=lambda pair: pair[0]):
        run = [piece for _, piece in pieces]
        short = run[-1].end - run[0].start < _SHORTEST
        if runs and (short or runs[-1][0] == person):
            runs[-1][1].extend(run)
        elif person is not None:
            runs.append((person, run))
    return runs


def _words(segment: Segment, run: Sequence[Stretch]) -> tuple[Word, ...]:
    start, end = run[0].start, run[-1].end
    return tuple(word for word in segment.words if start <= word.start and word.end <= end)
