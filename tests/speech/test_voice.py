"""`coqui_server.speech.voice`: how long somebody speaks."""

from collections.abc import Sequence

import numpy as np
import pytest

from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.speech.voice import VoiceMeter, VoiceModel, packaged_model
from tests.support.media import SPEECH, spoken
from tools.sounds import LIVELY, MADE, at, louder, pieces, silence


@pytest.fixture(scope="module")
def voices() -> VoiceModel:
    """The model of the package."""
    file = packaged_model()
    assert file is not None
    return VoiceModel(file)


def voice(voices: VoiceModel, pcm: Samples, cuts: Sequence[int] = ()) -> float:
    """The seconds of voice in a sound that is fed in slices and listened to after each."""
    meter = VoiceMeter(voices)
    for piece in pieces(pcm, list(cuts)):
        meter.feed(piece)
        assert not meter.reaches(len(pcm) / SAMPLE_RATE + 1)
    return meter.seconds


@pytest.mark.parametrize("name", SPEECH)
@pytest.mark.parametrize("change", [0.0, -30.0])
def test_a_voice_is_heard(voices: VoiceModel, name: str, change: float) -> None:
    """Half of each sample clip and more is voice, though it is quiet."""
    pcm = louder(spoken(name), change)[: 5 * SAMPLE_RATE]
    assert voice(voices, pcm) > len(pcm) / SAMPLE_RATE / 2


@pytest.mark.parametrize("name", [*MADE, *LIVELY])
def test_no_voice_is_heard_in_what_is_none(voices: VoiceModel, name: str) -> None:
    """Less than a word of noise, tones, typing, breath and music passes for a voice."""
    pcm = at(-25, {**MADE, **LIVELY}[name](5))
    assert voice(voices, pcm) < 0.1


def test_slices_do_not_matter(voices: VoiceModel) -> None:
    """The same voice is heard in a whole and in pieces of any length."""
    pcm = spoken("voicemail.wav")[: 4 * SAMPLE_RATE]
    cuts = [1, 2, 511, 512, 513, 5000, 5000, 31_999]
    assert voice(voices, pcm, cuts) == voice(voices, pcm)


def test_it_listens_no_further_than_it_has_to(voices: VoiceModel) -> None:
    """Once there is enough voice, the rest costs nothing."""
    meter = VoiceMeter(voices)
    meter.feed(spoken("voicemail.wav"))
    assert meter.reaches(0.0)
    assert meter.seconds == 0.0
    assert meter.reaches(0.5)
    assert 0.5 <= meter.seconds < 0.5 + 0.04


@pytest.mark.parametrize("length", [0, 1, 511, 512])
def test_a_moment_of_sound_has_no_voice(voices: VoiceModel, length: int) -> None:
    """Too few samples to judge are no voice, and no error."""
    assert voice(voices, silence(1)[:length]) == 0.0
    assert voice(voices, np.full(length, -32768, np.int16)) == 0.0
