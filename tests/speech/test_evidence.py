"""`coqui_server.speech.evidence`: speech is told from everything that is not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from coqui_server.speech.evidence import is_speech, spectral_variation
from tests.support.media import SPEECH, spoken
from tools.sounds import MADE, at, dial, louder, rms, silence, white

fixed = settings(derandomize=True, max_examples=50, deadline=None)


@pytest.mark.parametrize("level", [-60, -40, -20, -10])
@pytest.mark.parametrize("name", MADE)
def test_what_is_no_speech_is_not_taken_for_it(name: str, level: float) -> None:
    """Noises, tones, dialling, hum and clicks are no speech, quiet or loud, short or long."""
    for seconds in (0.4, 1.0, 3.0, 12.0):
        assert not is_speech(at(level, MADE[name](seconds))), f"{seconds} s"


@fixed
@given(
    digits=some.text("1590#", min_size=2, max_size=12),
    on=some.integers(50, 150),
    off=some.integers(50, 150),
    late=some.integers(0, 319),
    noise=some.sampled_from([-80, -50, -45]),
)
def test_dialling_is_no_speech(digits: str, on: int, off: int, late: int, noise: float) -> None:
    """Keys pressed at any pace, on a clear or an ordinary line, are no speech."""
    keys = at(-20, dial(digits, on / 1000, off / 1000))
    line = np.concatenate((keys[:0], silence(late / 16000), keys))
    assert not is_speech(line + at(noise, white(len(line) / 16000)))


@fixed
@given(seed=some.integers(0, 10**6), length=some.integers(1600, 16000))
def test_short_noise_is_no_speech(seed: int, length: int) -> None:
    """A tenth of a second of noise is enough to know it for noise."""
    assert not is_speech(at(-20, white(length / 16000, seed)))


def test_silence_and_a_constant_are_no_speech() -> None:
    """Digital silence and an offset have no spectrum at all."""
    assert not is_speech(silence(3))
    assert not is_speech(np.full(48000, 5000, np.int16))
    assert not is_speech(np.full(48000, -32768, np.int16))
    assert spectral_variation(silence(3)) == 0.0


@pytest.mark.parametrize("length", [0, 1, 399, 400, 719, 720, 1000])
def test_a_moment_of_sound_is_no_speech(length: int) -> None:
    """Too few samples to judge are no evidence, and no error."""
    assert not is_speech(spoken("voicemail.wav")[8000 : 8000 + length] * (length < 720))
    assert not is_speech(silence(1)[:length])


@pytest.mark.parametrize("name", SPEECH)
@pytest.mark.parametrize("change", [0.0, -20.0, -40.0])
def test_speech_is_speech(name: str, change: float) -> None:
    """Every sample clip is known for speech, quiet as it may be."""
    assert is_speech(louder(spoken(name), change))


@pytest.mark.parametrize("name", SPEECH)
@pytest.mark.parametrize("seed", range(3))
def test_speech_in_noise_as_loud_is_speech(name: str, seed: int) -> None:
    """White noise of the same power (0 dB) does not hide that someone speaks."""
    speech = louder(spoken(name), -6)
    noise = at(rms(speech), white(len(speech) / 16000, seed))
    assert is_speech(speech + noise[: len(speech)])


@pytest.mark.parametrize("name", SPEECH)
def test_speech_of_a_telephone_is_speech(name: str) -> None:
    """Nothing above 4 kHz is needed."""
    spectrum = np.fft.rfft(spoken(name))
    spectrum[len(spectrum) // 2 :] = 0
    assert is_speech(np.fft.irfft(spectrum, len(spoken(name))).astype(np.int16))
