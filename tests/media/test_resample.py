"""`coqui_server.media.resample`: any rate to 16 kHz, with no seam, no alias and no lost sample."""

from itertools import pairwise

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as some

from coqui_server.media.resample import Resampler
from coqui_server.media.samples import SAMPLE_RATE, Samples

fixed = settings(derandomize=True, max_examples=15, deadline=None)

RATES = [8000, 11_025, 12_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000]
DITHER = 2
"""Steps by which two conversions of the same sound may differ."""


def tone(hertz: float, rate: int, seconds: float = 0.5) -> Samples:
    """A sine, some way below full scale."""
    turns = np.arange(round(rate * seconds)) * hertz / rate
    wave: Samples = np.rint(8000 * np.sin(2 * np.pi * turns)).astype(np.int16)
    return wave


def resampled(pcm: Samples, rate: int, cuts: list[int] | None = None) -> Samples:
    """All of a sound, pushed in slices that end at `cuts`."""
    resampler = Resampler(rate)
    places = [0, *sorted(min(cut, len(pcm)) for cut in cuts or []), len(pcm)]
    pushed = [resampler.push(pcm[start:end]) for start, end in pairwise(places)]
    return np.concatenate([*pushed, resampler.flush()])


def level(pcm: Samples) -> float:
    """RMS in decibels of the middle half, 0 being the tone's."""
    middle = pcm[len(pcm) // 4 : -len(pcm) // 4].astype(float)
    return float(20 * np.log10(np.sqrt(np.mean(middle**2)) / (8000 / np.sqrt(2)) + 1e-9))


@pytest.mark.parametrize("rate", RATES)
@fixed
@given(length=some.integers(0, 20_000), piece=some.integers(100, 3000))
def test_the_length_is_right_to_the_sample(rate: int, length: int, piece: int) -> None:
    """Once flushed, a sound is as long as it was, whatever pieces it came in."""
    pcm = resampled(tone(440, rate, 3)[:length], rate, [*range(0, length, piece)])
    assert pcm.dtype == np.int16
    assert abs(len(pcm) - length * SAMPLE_RATE / rate) <= 0.5


@pytest.mark.parametrize("rate", [8000, 44_100, 48_000])
@fixed
@given(cuts=some.lists(some.integers(0, 20_000), max_size=40))
def test_slices_leave_no_seam(rate: int, cuts: list[int]) -> None:
    """In any slices, a tone comes out as it does in one go, but for the dither."""
    pcm = tone(997, rate)
    whole = soxr.resample(pcm, rate, SAMPLE_RATE, quality="HQ")
    assert np.abs(resampled(pcm, rate, cuts).astype(int) - whole).max() <= DITHER


@pytest.mark.parametrize("rate", RATES)
def test_a_tone_is_where_it_was(rate: int) -> None:
    """The sound is neither shifted nor louder: it is the same sine at the new rate."""
    middle = slice(1000, 7000)
    expected = tone(700, SAMPLE_RATE)[middle].astype(int)
    assert np.abs(resampled(tone(700, rate), rate)[middle] - expected).max() <= 8


@pytest.mark.parametrize("hertz", [200, 1000, 3000, 3400, 3600])
def test_all_of_a_telephones_band_is_kept(hertz: float) -> None:
    """Up to 3.6 kHz of 4 within half a decibel."""
    assert level(resampled(tone(hertz, 8000), 8000)) == pytest.approx(0, abs=0.5)


@pytest.mark.parametrize("rate", [24_000, 44_100, 48_000])
@pytest.mark.parametrize("hertz", [9000, 10_500, 11_900])
def test_what_is_above_the_band_does_not_come_back_below(rate: int, hertz: float) -> None:
    """A tone that 16 kHz cannot hold is gone, not another tone."""
    assert level(resampled(tone(hertz, rate), rate)) < -70


def test_nothing_is_added_above_a_telephones_band() -> None:
    """8 kHz sound has no image above 4 kHz."""
    spectrum = np.abs(np.fft.rfft(resampled(tone(3000, 8000, 1), 8000) * np.hanning(16_000)))
    assert spectrum[4200:].max() < spectrum[3000] * 1e-3


@pytest.mark.parametrize("rate", RATES)
def test_little_is_held_back(rate: int) -> None:
    """What comes out is at most 120 ms behind what went in."""
    resampler, given_out, piece = Resampler(rate), 0, rate // 50
    for count in range(1, 100):
        given_out += len(resampler.push(tone(440, rate)[:piece]))
        assert count * piece / rate - given_out / SAMPLE_RATE <= 0.12


def test_16_khz_is_passed_bit_by_bit() -> None:
    """What needs no conversion is not delayed either."""
    pcm = tone(440, SAMPLE_RATE)
    resampler = Resampler(SAMPLE_RATE)
    assert np.array_equal(resampler.push(pcm), pcm)
    assert len(resampler.flush()) == 0


@pytest.mark.parametrize("rate", RATES)
def test_after_a_flush_a_new_sound_begins(rate: int) -> None:
    """The second of two sounds comes out as if it were alone."""
    resampler, first, second = Resampler(rate), tone(440, rate), tone(997, rate)
    resampler.push(first)
    resampler.flush()
    again = np.concatenate((resampler.push(second), resampler.flush()))
    assert np.abs(again.astype(int) - resampled(second, rate)).max() <= DITHER
    assert len(resampler.flush()) == 0, "nothing came since"
