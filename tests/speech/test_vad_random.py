"""`coqui_server.speech.vad` on speech, silence and noise in any order, in any slices."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from coqui_server.config.audio import Kind, VadSettings
from coqui_server.media.samples import SAMPLE_RATE, Samples
from tests.support.gate import KINDS, checked, events, utterances
from tests.support.media import SPEECH, spoken
from tools.sounds import at, coloured, silence, white

fixed = settings(derandomize=True, max_examples=50, deadline=None)


def _speech(clip: str, start: float, seconds: float) -> Samples:
    place = round(start * SAMPLE_RATE)
    return spoken(clip)[place : place + round(seconds * SAMPLE_RATE)]


durations = some.integers(1, 25).map(lambda tenths: tenths / 10)
sequences = some.lists(
    some.one_of(
        some.builds(_speech, some.sampled_from(SPEECH), durations, durations),
        some.builds(silence, durations),
        some.builds(lambda s, seed: at(-30, white(s, seed)), durations, some.integers(0, 99)),
        some.builds(lambda s, seed: at(-45, coloured(s, 1, seed)), durations, some.integers(0, 99)),
    ),
    min_size=1,
    max_size=8,
).map(np.concatenate)


@pytest.mark.parametrize("kind", KINDS)
@fixed
@given(pcm=sequences)
def test_events_are_well_formed(kind: Kind, pcm: Samples) -> None:
    """Utterances open, speak and close in turn, with the very samples of the time they claim."""
    result = checked(pcm, kind, VadSettings(max_utterance=5000))
    assert all(start >= 0 and end * SAMPLE_RATE <= len(pcm) for start, end, _ in result)
    assert all(end - start <= 5.0 for start, end, _ in result)


@pytest.mark.parametrize("frame", [10, 20, 30])
@fixed
@given(pcm=sequences, cuts=some.lists(some.integers(0, 200_000), max_size=40))
def test_slices_do_not_matter(frame: int, pcm: Samples, cuts: list[int]) -> None:
    """However the stream is cut into pushes, the same utterances come, with any frame length."""
    vad = VadSettings(max_utterance=4000)
    whole = utterances(events(pcm, "live", vad, frame=frame))
    sliced = utterances(events(pcm, "live", vad, cuts, frame))
    assert [one[:2] for one in whole] == [other[:2] for other in sliced]
    assert all(np.array_equal(a[2], b[2]) for a, b in zip(whole, sliced, strict=True))
