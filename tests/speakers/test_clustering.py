"""`coqui_server.speakers.clustering`."""

from dataclasses import replace

import pytest

from coqui_server.speakers.clustering import cluster
from tests.speakers.made import voice


def test_as_many_people_as_there_are() -> None:
    """Numbered as they first speak."""
    order = [3, 1, 3, 5, 1, 3, 5]
    voices = [voice(person, 3.0 * place) for place, person in enumerate(order)]
    assert cluster(voices) == [0, 1, 0, 2, 1, 0, 2]


def test_a_known_count() -> None:
    """The two most alike are one when there are fewer; one becomes two when there are more."""
    voices = [voice(person, 3.0 * place) for place, person in enumerate([0, 1, 2, 0, 1, 2])]
    assert len(set(cluster(voices, 2))) == 2
    assert len(set(cluster(voices, 4))) == 4
    assert set(cluster(voices, 1)) == {0}
    assert len(set(cluster(voices, 9))) == 6
    assert len(set(cluster(voices, most=2))) == 2


def test_nothing_and_one() -> None:
    """No voice has no person; a short one is somebody all the same."""
    assert cluster([]) == []
    assert cluster([], 3) == []
    assert cluster([voice(0, 0.0, 0.2)]) == [0]


def test_little_speech_is_nobody_new() -> None:
    """A short voice is given to whom it is most like."""
    voices = [voice(0, 0.0), voice(1, 3.0), voice(7, 6.0, 1.0), voice(1, 9.0, 0.3)]
    assert cluster(voices)[:2] == [0, 1]
    assert cluster(voices)[2] in (0, 1)
    assert cluster(voices)[3] == 1


@pytest.mark.parametrize("same", [True, False])
def test_what_a_window_says(same: bool) -> None:
    """Voices that are neither alike nor unlike are of the same person if their window says so."""
    one, other = voice(0, 0.0, window=1, noise=1.4), voice(0, 3.0, window=1, noise=1.4)
    other = other if same else replace(other, speaker=1)
    assert 0.22 < float(one.print @ other.print) < 0.52
    assert cluster([one, other]) == ([0, 0] if same else [0, 1])


def test_a_long_recording(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is grouped in parts, with the same result."""
    order = [place * place % 4 for place in range(60)] + [2, 3, 2]
    voices = [voice(person, 3.0 * place) for place, person in enumerate(order)]
    whole, counted = cluster(voices), cluster(voices, 4)
    monkeypatch.setattr("coqui_server.speakers.clustering._MOST", 10)
    assert cluster(voices) == whole == counted == cluster(voices, 4)
    assert len(set(whole)) == 4
