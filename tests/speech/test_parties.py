"""Which channels have different people, on real speech."""

import numpy as np
import pytest

from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.speech.parties import WINDOW, Parties
from tests.support.media import in_a_room, spoken
from tools.sounds import at, louder, rms, white

ANNA, WEATHER = spoken("voicemail.wav"), spoken("weather.flac")
CLERK, VISIT = spoken("telephone.wav"), spoken("appointment.wav")
LENGTH = 8 * SAMPLE_RATE
SILENCE = np.zeros(LENGTH, np.int16)
HISS = at(-50, white(LENGTH / SAMPLE_RATE, seed=4))


def placed(pcm: Samples, seconds: float = 0.0) -> Samples:
    """A sound in 8 s, so many seconds late."""
    start = round(seconds * SAMPLE_RATE)
    return np.pad(pcm, (start, LENGTH))[:LENGTH]


def groups(*channels: Samples) -> list[list[int]]:
    """What is found in whole channels."""
    parties, frames = Parties(len(channels)), np.stack(channels, 1)
    for start in range(0, len(frames) - WINDOW + 1, WINDOW):
        parties.push(frames[start : start + WINDOW])
    return parties.groups


A, B = placed(ANNA), placed(WEATHER)


@pytest.mark.parametrize(
    "other",
    [
        B,
        louder(B, -20),
        placed(CLERK, 2.5),
        placed(VISIT[: 2 * SAMPLE_RATE], 6.0),
        placed(ANNA, 1.0),
        B + HISS,
    ],
    ids=["at once", "quietly", "on the telephone", "in turn", "in the same voice", "in noise"],
)
def test_different_people(other: Samples) -> None:
    """Are told apart, whichever channel they are on."""
    assert groups(A, other) == groups(other, A) == [[0], [1]]


@pytest.mark.parametrize(
    "other",
    [A, -A, A // 8, placed(ANNA, 0.02), -placed(ANNA, 0.001), SILENCE, HISS, A // 40 + HISS],
    ids=["copy", "inverted", "quiet", "late", "inverted and late", "silent", "noise", "crosstalk"],
)
def test_the_same_or_nothing(other: Samples) -> None:
    """Is one, whichever channel it is on."""
    assert groups(A, other) == groups(other, A) == [[0, 1]]


@pytest.mark.parametrize("echo", [0.2, 0.4, 0.8])
def test_a_room_in_stereo(echo: float) -> None:
    """Two people in it, in turn and at once, are on both channels, though each sounds different."""
    in_turn = in_a_room(placed(VISIT), placed(VISIT[: 3 * SAMPLE_RATE], 4.6), echo=echo)
    at_once = in_a_room(A, B, echo=echo)
    for left, right in (in_turn, at_once):
        assert abs(float(np.corrcoef(left, right)[0, 1])) < 0.6
        assert groups(left, right) == [[0, 1]]


def test_groups_of_channels() -> None:
    """Those with the same sound are together; a silent one is by itself."""
    assert groups(A, B, -A, SILENCE, B // 2) == [[0, 2], [1, 4], [3]]


def test_noises_are_no_people() -> None:
    """Two different noises, tones or silences are left together."""
    tone = at(-20, np.sin(np.arange(LENGTH) / 5))
    assert rms(tone) > -21
    assert groups(HISS, at(-50, white(LENGTH / SAMPLE_RATE, seed=5))) == [[0, 1]]
    assert groups(HISS, tone) == groups(SILENCE, SILENCE) == [[0, 1]]


def test_an_announcement_before_two_people() -> None:
    """What both channels had at first is forgotten when they differ."""
    both = np.tile(placed(CLERK)[: 5 * SAMPLE_RATE], 6)
    assert groups(both, both) == [[0, 1]]
    left, right = (np.concatenate((both, np.tile(voice, 3))) for voice in (A, B))
    assert groups(left, right) == [[0], [1]]
