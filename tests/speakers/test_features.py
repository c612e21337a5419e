"""`coqui_server.speakers.features`."""

import numpy as np
import pytest

from coqui_server.media.samples import SAMPLE_RATE
from coqui_server.speakers.features import filter_bank


@pytest.mark.parametrize(("hertz", "band"), [(250, 9), (1000, 27), (4000, 59)])
def test_a_tone_is_in_its_band(hertz: int, band: int) -> None:
    """The band is that of the mel scale, 80 bands from 20 Hz to 8 kHz."""
    seconds = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    tone = (8000 * np.sin(2 * np.pi * hertz * seconds) * (seconds > 0.5)).astype(np.int16)
    energies = filter_bank(tone)
    assert energies.shape == (98, 80)
    assert abs(int(energies[-1].argmax()) - band) <= 1


def test_the_mean_over_time_is_gone() -> None:
    """So that the loudness and the microphone count less; of long sound, too."""
    noise = np.random.default_rng(1).normal(0, 1000, 12 * SAMPLE_RATE).astype(np.int16)
    energies = filter_bank(noise)
    assert energies.shape == (1198, 80)
    assert np.abs(energies.mean(axis=0)).max() < 1e-3
    assert np.allclose(energies, filter_bank(noise // 2), atol=0.2)


def test_too_short() -> None:
    """Sound of less than 25 ms has no frame."""
    assert filter_bank(np.zeros(399, np.int16)).shape == (0, 80)
