"""Which channels of a file are heard together: frames in, sounds of legs out."""

import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest

from coqui_server.config.audio import ChannelMode
from coqui_server.exceptions import BadRequest
from coqui_server.media.samples import SAMPLE_RATE, Frames, Samples
from coqui_server.transcription.channels import Channels, Leg, Sounds
from coqui_transcript.transcript import TranscriptWarning
from tests.support.media import spoken

LEFT, RIGHT = Leg(1, "left"), Leg(2, "right")
ANNA, WEATHER = spoken("voicemail.wav"), spoken("weather.flac")


def minutes(pcm: Samples, count: float, *, start: float = 0.0) -> Samples:
    """A sound again and again, with a second of silence between, for so many minutes; nothing
    before the start, in minutes too."""
    whole, quiet = round(count * 60 * SAMPLE_RATE), np.zeros(SAMPLE_RATE, np.int16)
    once = np.concatenate((pcm, quiet))
    repeated = np.tile(once, whole // len(once) + 1)[:whole].copy()
    repeated[: round(start * 60 * SAMPLE_RATE)] = 0
    return repeated


def heard(mode: ChannelMode, frames: Frames, size: int = 7000) -> tuple[list[Sounds], list[str]]:
    """All sounds of a file that comes in pieces, and the codes of the warnings."""
    warnings: list[TranscriptWarning] = []

    def sounds() -> Iterator[Sounds]:
        channels = Channels(mode, warnings.append)
        for start in range(0, len(frames), size):
            yield from channels.push(frames[start : start + size])
        yield from channels.flush()

    return list(sounds()), [warning.code for warning in warnings]


def of(sounds: list[Sounds], leg: Leg | None) -> Samples:
    """All sound of one leg."""
    return np.concatenate([each[leg] for each in sounds if leg in each])


def test_two_people_are_split_from_their_first_word() -> None:
    """Bit by bit, to the last sample; so is a call whose second party is silent at first."""
    for start in (0.0, 0.7):
        left, right = minutes(ANNA, 1.3)[:-77], minutes(WEATHER, 1.3, start=start)[:-77]
        sounds, warnings = heard("auto", np.stack((left, right), 1))
        assert np.array_equal(of(sounds, LEFT), left)
        assert np.array_equal(of(sounds, RIGHT), right)
        assert all(each.keys() == {LEFT, RIGHT} for each in sounds)
        assert warnings == []


def test_somebody_who_comes_late() -> None:
    """The channels are heard together, then apart, with nothing twice or left out; they are split
    before the newcomer's first word, where nobody speaks."""
    left, right = minutes(ANNA, 2.5), minutes(WEATHER, 2.5, start=2.0)
    sounds, _ = heard("auto", np.stack((left, right), 1))
    split = len(of(sounds, None))
    assert 50 * SAMPLE_RATE < split < 120 * SAMPLE_RATE
    assert np.abs(of(sounds, None) * 2 - left[:split].astype(int)).max() <= 1
    assert np.array_equal(of(sounds, LEFT), left[split:])
    assert np.array_equal(of(sounds, RIGHT), right[split:])
    assert np.abs(left[split - 4000 : split].astype(int)).max() < 500


def test_the_same_sound_is_one() -> None:
    """Mixed, as a mono file would sound."""
    left = minutes(ANNA, 0.2)
    for right in (left, -left):
        sounds, warnings = heard("auto", np.stack((left, right), 1))
        assert np.array_equal(of(sounds, None), left)
        assert warnings == []


def test_split_and_mix_are_done_as_they_are_asked_for() -> None:
    """Split gives two of the same; mix gives one of two people, with a warning."""
    left, right = minutes(ANNA, 0.2), minutes(WEATHER, 0.2)
    sounds, _ = heard("split", np.stack((left, left), 1))
    assert np.array_equal(of(sounds, LEFT), of(sounds, RIGHT))
    sounds, warnings = heard("mix", np.stack((left, right), 1))
    assert {None} == set().union(*sounds)
    assert warnings == ["mixed_channels"]
    assert heard("mix", np.stack((left, left), 1))[1] == []


@pytest.mark.parametrize("mode", ["auto", "mix", "split"])
def test_one_channel(mode: ChannelMode) -> None:
    """Is passed on, whatever is asked for."""
    sounds, warnings = heard(mode, ANNA[:, None])
    assert np.array_equal(of(sounds, None), ANNA)
    assert warnings == []


def test_more_than_eight_channels() -> None:
    """Are mixed with a warning; they cannot be split."""
    frames = np.stack([ANNA] * 9, 1)
    sounds, warnings = heard("auto", frames)
    assert len(of(sounds, None)) == len(ANNA)
    assert warnings == ["mixed_channels"]
    assert heard("mix", frames)[1] == []
    with pytest.raises(BadRequest, match="the file has 9 channels; at most 8 can be split"):
        heard("split", frames)


def test_memory_does_not_grow() -> None:
    """A minute of each channel is held, and no more."""
    channels = Channels("auto", lambda _: None)
    second = np.stack([ANNA[:SAMPLE_RATE]] * 2, 1)
    for _ in range(70):
        list(channels.push(second))
    tracemalloc.start()
    for _ in range(70):
        list(channels.push(second.copy()))
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 1.2 * 60 * second.nbytes
