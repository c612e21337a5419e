"""`earliest`: the promise that no further utterance begins before it."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from coqui_server.config.audio import AudioSettings, VadSettings
from coqui_server.media.samples import SAMPLE_RATE
from coqui_server.speech.chunks import ChunkingGate
from coqui_server.speech.vad import Gate, GateEvent, Opened
from tests.support.media import spoken

VOICE = spoken("voicemail.wav")
PAUSE = np.zeros(3 * SAMPLE_RATE, np.int16)
SOUND = np.concatenate((VOICE, VOICE[: SAMPLE_RATE // 2], PAUSE, VOICE))


def gate() -> Gate:
    return Gate(VadSettings(), AudioSettings(), live=False)


@pytest.mark.parametrize("make", [gate, lambda: ChunkingGate(gate(), 8.0)], ids=["gate", "chunks"])
@given(cuts=some.lists(some.integers(0, len(SOUND)), max_size=6), skip=some.integers(0, 40_000))
@settings(max_examples=25, deadline=None)
def test_it_is_kept(make: Callable[[], Gate | ChunkingGate], cuts: list[int], skip: int) -> None:
    """Wherever the sound is cut and silence is skipped, and it grows to the end of the sound."""
    cutter, promised = make(), 0.0

    def check(events: list[GateEvent]) -> None:
        nonlocal promised
        starts = [event.start for event in events if isinstance(event, Opened)]
        assert all(start >= promised for start in starts)
        promised = cutter.earliest

    places = sorted({0, *cuts, len(SOUND)})
    for start, end in pairwise(places):
        check(cutter.push(SOUND[start:end]))
        check(cutter.skip(skip))
    check(cutter.flush())
    whole = (len(SOUND) + skip * (len(places) - 1)) / SAMPLE_RATE
    assert whole - 1 < cutter.earliest <= whole
