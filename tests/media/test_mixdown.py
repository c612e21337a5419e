"""Two channels to one."""

import numpy as np
import pytest

from coqui_server.media.mixdown import Mixdown
from coqui_server.media.samples import SAMPLE_RATE, Samples
from tools.sounds import at, white

VOICE = at(-20, white(4.0, seed=1))
OTHER = at(-30, white(4.0, seed=2))
SILENCE = np.zeros_like(VOICE)


def mixed(left: Samples, right: Samples, size: int = 700) -> tuple[Samples, Mixdown]:
    """What becomes of two channels that come in small pieces."""
    mixdown = Mixdown(2)
    both = np.stack([left, right], 1).reshape(-1)
    parts = [mixdown.push(both[start : start + size]) for start in range(0, len(both), size)]
    return np.concatenate([*parts, mixdown.flush()]), mixdown


@pytest.mark.parametrize(
    ("right", "expected"),
    [(VOICE, VOICE), (-VOICE, VOICE), (SILENCE, VOICE // 2), (OTHER, (VOICE + OTHER) // 2)],
)
def test_nothing_cancels(right: Samples, expected: Samples) -> None:
    """Equal, inverted, silent and other channels: the first one stays, and nothing is added."""
    pcm, _ = mixed(VOICE, right)
    assert np.abs(pcm.astype(int) - expected).max() <= 1


def test_a_mono_file_is_passed_on() -> None:
    """Bit by bit."""
    mixdown = Mixdown(1)
    assert np.array_equal(mixdown.push(VOICE), VOICE)
    assert len(mixdown.flush()) == 0


@pytest.mark.parametrize(
    ("left", "right", "overlapping"),
    [
        (VOICE, VOICE, False),
        (VOICE, -VOICE, False),
        (VOICE, SILENCE, False),
        (VOICE, OTHER, True),
        (np.concatenate((VOICE, SILENCE)), np.concatenate((SILENCE, OTHER)), False),
    ],
)
def test_whether_channels_speak_at_once(left: Samples, right: Samples, overlapping: bool) -> None:
    """Only different sounds at the same time count, not those that take turns."""
    _, mixdown = mixed(left, right)
    assert mixdown.overlapping == overlapping
    assert mixdown.apart == pytest.approx(4.0 if overlapping else 0.0, abs=1 / SAMPLE_RATE)
