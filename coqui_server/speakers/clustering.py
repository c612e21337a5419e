"""Puts voices together that are of the same person.

Average linkage: the two groups whose members are on average most alike become one, again and again,
until no two are alike enough, or only so many are left. `docs/speakers.md` has what that gives.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from coqui_server.speakers.voices import Voice

ALIKE = 0.37
"""The mean likeness of two groups from which on they are of the same person."""

FOUNDING = 2.0
"""Seconds of speech alone from which on a group is a person of its own; less is given to the person
that is most like it."""

_TRUSTED = 0.7
"""Seconds of speech alone from which on a print counts; others follow the most like group."""

_SEGMENTED = 0.15
"""What it adds to the likeness of two voices of a window that they were heard as one speaker there,
and takes away that they were heard as two."""

_MOST = 1000
"""Voices that are compared each with each. A longer recording is grouped in parts of so many first,
and then the groups."""

_OF_PART = 40
"""Groups that are left of a part, so that those of the longest file, 22 parts, are no more than
`_MOST`."""

Matrix = npt.NDArray[np.float64]


def cluster(
    voices: Sequence[Voice], count: int | None = None, most: int | None = None
) -> list[int]:
    """The person of each voice: a number from 0, in the order in which people first speak.

    Args:
        voices: in the order of time.
        count: of the people, if it is known.
        most: people there may be, where the count is not known.
    """
    if not voices:
        return []
    chosen = [place for place, voice in enumerate(voices) if voice.seconds >= _TRUSTED]
    if len(chosen) < (count or 1):
        chosen = list(range(len(voices)))
    trusted = [voices[place] for place in chosen]
    groups = _merged(trusted, _in_parts(trusted, None))
    limit, found = count or most, max(groups) + 1
    if limit and found > limit:
        groups = _joined(trusted, groups, limit)
    elif count and found < count:
        groups = _in_parts(trusted, count)
    people = _followed(voices, trusted, groups)
    for place, group in zip(chosen, groups, strict=True):
        people[place] = group
    order = {person: number for number, person in enumerate(dict.fromkeys(people))}
    return [order[person] for person in people]


def _in_parts(voices: list[Voice], count: int | None) -> list[int]:
    """The group of each voice; of many voices, part by part, and then of the groups."""
    if len(voices) <= _MOST:
        return grouped(_kinship(voices), _weights(voices), count)
    parts: list[int] = []
    for start in range(0, len(voices), _MOST):
        part = voices[start : start + _MOST]
        before = max(parts, default=-1) + 1
        its = grouped(_kinship(part), _weights(part), None, _OF_PART)
        parts += [before + group for group in its]
    return _joined(voices, parts, count)


def _joined(voices: Sequence[Voice], groups: list[int], count: int | None) -> list[int]:
    """Larger groups out of these."""
    means = _means(voices, groups)
    weights = np.bincount(groups, _weights(voices)).astype(float)
    joined = grouped(means @ means.T, weights, count)
    return [joined[group] for group in groups]


def grouped(
    likeness: Matrix, weights: Matrix, count: int | None, most: int | None = None
) -> list[int]:
    """The group of each member, by average linkage.

    Args:
        likeness: of each with each.
        weights: of the members in the average.
        count: of groups to be left; None for as many as are unlike each other,
        most: but no more than that.
    """
    size = len(weights)
    likeness, weights, groups = likeness.astype(np.float64), weights.copy(), np.arange(size)
    np.fill_diagonal(likeness, -np.inf)
    for left in range(size, count or 1, -1):
        one, other = divmod(int(likeness.argmax()), size)
        enough = count is None and (most is None or left <= most)
        if enough and likeness[one, other] < ALIKE:
            break
        shares = weights[[one, other]] / weights[[one, other]].sum()
        mean = shares @ likeness[[one, other]]
        likeness[one], likeness[:, one] = mean, mean
        likeness[other], likeness[:, other] = -np.inf, -np.inf
        likeness[one, one] = -np.inf
        weights[one] += weights[other]
        groups[groups == other] = one
    numbers: list[int] = np.unique(groups, return_inverse=True)[1].tolist()
    return numbers


def _kinship(voices: Sequence[Voice]) -> Matrix:
    """How alike voices are, with what their windows say of them."""
    prints = np.array([voice.print for voice in voices], np.float64)
    windows = np.array([voice.window for voice in voices])
    speakers = np.array([voice.speaker for voice in voices])
    together = windows[:, None] == windows
    same = np.where(speakers[:, None] == speakers, _SEGMENTED, -_SEGMENTED)
    kinship: Matrix = prints @ prints.T + together * same
    return kinship


def _merged(voices: Sequence[Voice], groups: list[int]) -> list[int]:
    """The same groups without those that are too short to be somebody."""
    seconds = np.bincount(groups, _weights(voices))
    large = np.flatnonzero(seconds >= FOUNDING)
    if not len(large):
        large = np.array([seconds.argmax()])
    means = _means(voices, groups)
    nearest = large[(means @ means[large].T).argmax(axis=1)]
    nearest[large] = large
    numbers: list[int] = np.unique(nearest[groups], return_inverse=True)[1].tolist()
    return numbers


def _followed(
    voices: Sequence[Voice], trusted: Sequence[Voice], groups: Sequence[int]
) -> list[int]:
    """The group that each voice is most like; its speaker in its window counts as well."""
    beside: dict[tuple[int, int], set[int]] = defaultdict(set)
    for voice, group in zip(trusted, groups, strict=True):
        beside[voice.window, voice.speaker].add(group)
    likeness = np.array([voice.print for voice in voices]) @ _means(trusted, groups).T
    for voice, row in zip(voices, likeness, strict=True):
        row[list(beside[voice.window, voice.speaker])] += _SEGMENTED
    people: list[int] = likeness.argmax(axis=1).tolist()
    return people


def _means(voices: Sequence[Voice], groups: Sequence[int]) -> Matrix:
    """The mean print of each group. Two groups are on average as alike as these are."""
    sums = np.zeros((max(groups) + 1, len(voices[0].print)))
    weights = _weights(voices)
    np.add.at(sums, list(groups), np.array([voice.print for voice in voices]) * weights[:, None])
    means: Matrix = sums / np.bincount(groups, weights)[:, None]
    return means


def _weights(voices: Sequence[Voice]) -> Matrix:
    """The seconds of each voice, which say how far its print can be relied on."""
    return np.array([max(voice.seconds, 0.1) for voice in voices])
