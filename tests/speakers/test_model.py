"""`coqui_server.speakers.model` on speech of several people."""

import numpy as np

from coqui_server.media.samples import SAMPLE_RATE
from coqui_server.speakers.model import SpeakerModel
from coqui_server.speakers.voices import Voice
from tests.support.people import ANNA, BERT, conversation

TWO = conversation((ANNA, "appointment.wav"), (BERT, "appointment.wav"))
CHANGE = 4.4 + 0.5 + 0.2
"""Seconds after which the second one speaks."""


def likeness(one: Voice, other: Voice) -> float:
    return float(one.print @ other.print)


def test_two_people(voice_model: SpeakerModel) -> None:
    """Each has a speaker of the window, and prints that are unlike the other's."""
    voices = voice_model.voices(TWO)
    first = [voice for voice in voices if voice.end < CHANGE]
    second = [voice for voice in voices if voice.start > CHANGE]
    assert first
    assert second
    assert len(first) + len(second) == len(voices)
    assert {voice.window for voice in voices[:2]} == {0}
    long = [max(some, key=lambda voice: voice.seconds) for some in (first, second)]
    assert likeness(*long) < 0.3
    assert np.allclose([np.linalg.norm(voice.print) for voice in voices], 1.0, atol=1e-5)


def test_the_same_person_in_another_window(voice_model: SpeakerModel) -> None:
    """Sound longer than 10 s is heard in windows, and voices have the times of the whole."""
    thrice = np.concatenate([TWO, np.zeros(SAMPLE_RATE, np.int16), TWO])
    voices = voice_model.voices(thrice)
    assert len({voice.window for voice in voices}) == 3
    later = (len(TWO) + SAMPLE_RATE) / SAMPLE_RATE
    again = [voice for voice in voices if later < voice.start < later + CHANGE - 1]
    first = max(voices[:2], key=lambda voice: voice.seconds)
    assert likeness(first, max(again, key=lambda voice: voice.seconds)) > 0.5
    starts = [voice.start for voice in voices]
    assert starts == sorted(starts)


def test_nobody(voice_model: SpeakerModel) -> None:
    """Neither in silence, nor in almost no sound."""
    assert voice_model.voices(np.zeros(2 * SAMPLE_RATE, np.int16)) == []
    assert voice_model.voices(TWO[:100]) == []
