"""Several channels to one."""

import numpy as np
import pytest

from coqui_server.media.mixdown import Mixdown
from coqui_server.media.samples import Samples
from tools.sounds import at, white

VOICE = at(-20, white(4.0, seed=1))
OTHER = at(-30, white(4.0, seed=2))
SILENCE = np.zeros_like(VOICE)


def mixed(*channels: Samples, size: int = 1600) -> Samples:
    """What becomes of channels that come in pieces."""
    mixdown, frames = Mixdown(), np.stack(channels, 1)
    parts = [mixdown.push(frames[start : start + size]) for start in range(0, len(frames), size)]
    return np.concatenate(parts)


@pytest.mark.parametrize(
    ("right", "expected"),
    [(VOICE, VOICE), (-VOICE, VOICE), (SILENCE, VOICE // 2), (OTHER, (VOICE + OTHER) // 2)],
)
def test_nothing_cancels(right: Samples, expected: Samples) -> None:
    """Equal, inverted, silent and other channels: the first one stays, and nothing is added."""
    assert np.abs(mixed(VOICE, right).astype(int) - expected).max() <= 1


def test_a_mono_file_is_passed_on() -> None:
    """Bit by bit."""
    assert np.array_equal(mixed(VOICE), VOICE)


def test_many_channels_of_which_some_are_inverted() -> None:
    """All are as the first one, also where the first ones are silent."""
    pcm = mixed(SILENCE, SILENCE, VOICE, -VOICE, VOICE, -VOICE, VOICE, -VOICE)
    assert np.abs(pcm.astype(int) - VOICE * (7 / 9)).max() <= 1


def test_the_third_of_many_channels_counts_twice() -> None:
    """In a film it has the voices."""
    for channel, share in ((2, 2 / 7), (0, 1 / 7)):
        channels = [VOICE if number == channel else SILENCE for number in range(6)]
        assert np.abs(mixed(*channels) - VOICE * share).max() <= 1


def test_pieces_of_any_length_of_whole_blocks() -> None:
    """Are mixed as one."""
    assert np.array_equal(mixed(VOICE, -OTHER), mixed(VOICE, -OTHER, size=8000))
