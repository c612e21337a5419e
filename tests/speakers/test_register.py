"""`coqui_server.speakers.register`."""

from itertools import count

import pytest

from coqui_server.speakers.register import Register, regrouped
from tests.speakers.made import voice


def test_numbers_are_kept() -> None:
    """Whoever speaks again has the number from before, and somebody new the next one."""
    register, time = Register(), count(0, 3)
    said = [[5], [5, 7], [7], [2, 5], [2]]
    told = [register.assign([voice(person, next(time)) for person in some]) for some in said]
    assert told == [[0], [0, 1], [1], [2, 0], [2]]
    assert register.assign([]) == []


def test_no_more_than_there_are() -> None:
    """The third of two people is one of them."""
    register = Register(2)
    told = [register.assign([voice(person, 3.0 * person)])[0] for person in range(4)]
    assert told[:2] == [0, 1]
    assert set(told) == {0, 1}


def test_a_word_is_nobody_new() -> None:
    """Somebody new has to speak for some time; the first one need not."""
    register = Register()
    assert register.assign([voice(0, 0.0, 0.4)]) == [0]
    assert register.assign([voice(0, 1.0)]) == [0]
    assert register.assign([voice(3, 4.0, 0.4)]) == [0]
    assert register.assign([voice(3, 6.0)]) == [1]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever was silent for long is known again all the same."""
    monkeypatch.setattr("coqui_server.speakers.register._MEMORY", 20)
    register = Register()
    assert register.assign([voice(0, 0.0)]) == [0]
    for place in range(1, 60):
        assert register.assign([voice(1, 3.0 * place)]) == [1]
        assert len(register.remembered) <= 20
    assert register.assign([voice(0, 300.0)]) == [0]


def test_groups_keep_their_numbers() -> None:
    """Those that most of their speech was given, the largest group first; others get free ones."""
    voices = [voice(0, 3.0 * place) for place in range(5)]
    assert regrouped(voices, [0, 0, 0, 1, 1], [7, 7, 2, 2, 7]) == [7, 7, 7, 2, 2]
    assert regrouped(voices, [0, 0, 0, 1, 1], [1, 1, 1, 1, 1]) == [1, 1, 1, 0, 0]
    assert regrouped([], [], []) == []
