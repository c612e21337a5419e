"""The benchmark of speakers: what counts as an error, and the conversations it mixes."""

import numpy as np
import pytest

from benchmarks.conversations import Turn, mixed
from benchmarks.diarization import score
from coqui_server.media.samples import SAMPLE_RATE

TRUTH: list[Turn] = [(0.0, 4.0, "a"), (4.0, 8.0, "b"), (7.0, 9.0, "a")]


@pytest.mark.parametrize(
    ("told", "missed", "added", "wrong"),
    [
        (TRUTH, 0.0, 0.0, 0.0),
        ([(s, e, {"a": "x", "b": "y"}[who]) for s, e, who in TRUTH], 0.0, 0.0, 0.0),
        ([(0.0, 9.0, "a")], 1.0, 0.0, 3.0),
        ([(0.0, 4.0, "a"), (4.0, 9.0, "b")], 1.0, 0.0, 1.0),
        ([*TRUTH, (9.0, 11.0, "c")], 0.0, 2.0, 0.0),
        ([(0.0, 4.0, "a")], 6.0, 0.0, 0.0),
    ],
)
def test_errors(told: list[Turn], missed: float, added: float, wrong: float) -> None:
    """Of ten seconds of speech, two people at once counted; names do not matter."""
    found = score(TRUTH, told)
    assert found.speech == pytest.approx(10.0)
    errors = (found.missed, found.added, found.wrong)
    assert errors == pytest.approx((missed, added, wrong))


def test_a_collar() -> None:
    """Moments near the starts and ends of turns do not count."""
    late = [(start + 0.2, end + 0.2, who) for start, end, who in TRUTH]
    assert score(TRUTH, late).error > 0.05
    assert score(TRUTH, late, 0.25).error == 0.0


@pytest.mark.parametrize("mu_law", [False, True])
def test_two_at_once(mu_law: bool) -> None:
    """A mixture has the share of it that was asked for, and its turns are where the sound is."""
    noise = np.random.default_rng(3)
    parts = [noise.normal(0, 2000, 2 * SAMPLE_RATE).astype(np.int16) for _ in range(20)]
    made = mixed({"a": parts[:10], "b": parts[10:]}, 2, 0.3, seconds=30, mu_law=mu_law)
    heard = np.zeros(len(made.pcm) // 160 + 200)
    for start, end, _ in made.turns:
        heard[round(start * 100) : round(end * 100)] += 1
    assert (heard > 1).sum() / (heard > 0).sum() == pytest.approx(0.3, abs=0.05)
    for start, end, _ in made.turns[:3]:
        assert np.abs(made.pcm[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)]).mean() > 500
    assert np.abs(made.pcm[: round(0.4 * SAMPLE_RATE)]).max() < 50
