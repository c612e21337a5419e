"""Tells people apart as they speak. A number once given to some speech stays.

The voices of each utterance are put together with those before, as in a whole recording. A group
has the number that most of its speech was given before; a group without one is somebody new.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain, count

from coqui_server.config.speakers import MOST
from coqui_server.speakers.clustering import FOUNDING, cluster
from coqui_server.speakers.voices import Voice

_MEMORY = 150
"""Voices that are remembered, five minutes of speech."""

_EACH = 5
"""Voices of each person that are not forgotten, however long ago."""


class Register:
    """The people heard so far.

    Args:
        count: of the people, if it is known.
    """

    def __init__(self, count: int | None = None) -> None:
        self._most = count or MOST
        self._voices: list[Voice] = []
        self._people: list[int] = []
        self._known = 0
        self._windows = 0

    @property
    def remembered(self) -> Sequence[Voice]:
        """The voices that later ones are compared with."""
        return self._voices

    def assign(self, voices: Sequence[Voice]) -> list[int]:
        """The person of each voice of the next utterance, a number from 0. Takes milliseconds."""
        fresh = [voice.moved(0.0, self._windows) for voice in voices]
        self._windows += 1 + max((voice.window for voice in voices), default=0)
        before = len(self._voices)
        self._voices += fresh
        groups = cluster(self._voices, most=self._most)
        people = self._numbers(groups)
        given = [people[group] for group in groups[before:]]
        self._people += given
        self._forget()
        return given

    def _numbers(self, groups: Sequence[int]) -> dict[int, int]:
        """The person of each group; those with most speech choose first."""
        people: dict[int, int] = {}
        for group, length, free in _largest(self._voices, groups, self._people):
            own = next((person for person in free if person not in people.values()), None)
            large = length >= 1000 * FOUNDING
            if own is None and self._known < self._most and (large or not free):
                own, self._known = self._known, self._known + 1
            people[group] = free[0] if own is None and free else own or 0
        return people

    def _forget(self) -> None:
        """Drop the oldest voices of those who have enough later ones."""
        left = Counter(self._people)
        surplus = len(self._voices) - _MEMORY
        kept = []
        for pair in zip(self._voices, self._people, strict=True):
            if surplus > 0 and left[pair[1]] > _EACH:
                surplus -= 1
                left[pair[1]] -= 1
            else:
                kept.append(pair)
        self._voices = [voice for voice, _ in kept]
        self._people = [person for _, person in kept]


def regrouped(voices: Sequence[Voice], groups: Sequence[int], told: Sequence[int]) -> list[int]:
    """The person of each voice, once all are grouped: a group keeps the number that most of its
    speech was given.

    Args:
        groups: the group of each voice.
        told: the person that each was told to be.
    """
    people: dict[int, int] = {}
    for group, _, before in _largest(voices, groups, told):
        choice = chain(before, count())
        people[group] = next(person for person in choice if person not in people.values())
    return [people[group] for group in groups]


def _largest(
    voices: Sequence[Voice], groups: Sequence[int], people: Sequence[int]
) -> Iterator[tuple[int, int, list[int]]]:
    """The groups, those with most speech first: their milliseconds, and the persons that their
    speech was given to before, those with most of it first.

    Args:
        people: of the voices that were given to somebody, which come first.
    """
    shares: dict[int, Counter[int]] = defaultdict(Counter)
    lengths: Counter[int] = Counter()
    for place, (voice, group) in enumerate(zip(voices, groups, strict=True)):
        milliseconds = 1 + round(1000 * voice.seconds)
        lengths[group] += milliseconds
        if place < len(people):
            shares[group][people[place]] += milliseconds
    for group, length in lengths.most_common():
        yield group, length, [person for person, _ in shares[group].most_common()]
