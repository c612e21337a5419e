"""The filter against offset, hum and rumble: what it removes, when it comes, what it leaves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coqui_server.config.settings import Settings
from coqui_server.engines import Engines
from coqui_server.engines.base import Engine
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.speech.highpass import HighPass
from coqui_server.speech.lowcut import LowCut
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.service import Service
from tests.support.clips import clip, spoken
from tools.sounds import pieces

VOICE = clip("appointment.wav")
SECONDS = np.arange(len(VOICE.pcm)) / SAMPLE_RATE


def tone(hertz: float, amplitude: float = 8000.0) -> Samples:
    """Two seconds of a tone."""
    angle = 2 * np.pi * hertz * np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    return np.rint(amplitude * np.sin(angle)).astype(np.int16)


def decibels(pcm: Samples) -> float:
    """The level of the second second, against that of the tone."""
    return float(20 * np.log10(pcm[SAMPLE_RATE:].std() / (8000 / np.sqrt(2))))


@pytest.mark.parametrize(
    ("hertz", "expected"), [(50, -38.2), (75, -24.1), (150, -3.0), (300, -0.02), (1000, 0.0)]
)
def test_the_filter_is_a_butterworth_of_the_fourth_order(hertz: float, expected: float) -> None:
    """3 dB at its cutoff of 150 Hz, 24 dB for each octave below, nothing above."""
    assert decibels(HighPass(150).push(tone(hertz))) == pytest.approx(expected, abs=0.2)


def test_an_offset_is_gone_from_the_first_sample() -> None:
    """It does not begin with a click."""
    assert not HighPass(150).push(np.full(SAMPLE_RATE, 4000, np.int16)).any()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 2 * SAMPLE_RATE), max_size=20))
def test_pieces_do_not_matter(cuts: list[int]) -> None:
    """The same samples come out, however they were cut, and as many as went in."""
    sound = tone(50)
    whole = HighPass(150).push(sound)
    parts = HighPass(150)
    filtered = np.concatenate([parts.push(piece) for piece in pieces(sound, sorted(cuts))])
    assert np.abs(filtered.astype(int) - whole).max() <= 1
    cut = LowCut(150)
    out = [cut.push(piece) for piece in pieces(sound, sorted(cuts))]
    out += [cut.flush()]
    at_once = LowCut(150)
    expected = np.concatenate((at_once.push(sound), at_once.flush()))
    assert len(expected) == len(sound)
    assert np.abs(np.concatenate(out).astype(int) - expected).max() <= 1


def filtered(sound: Samples) -> Samples:
    """A sound after the filter, in pieces of 0.2 s."""
    cut = LowCut(150)
    cuts = list(range(3200, len(sound), 3200))
    return np.concatenate([*(cut.push(piece) for piece in pieces(sound, cuts)), cut.flush()])


def test_clean_speech_passes_unchanged() -> None:
    """To the bit, from the first sample: recognisers need its low notes."""
    assert np.array_equal(filtered(VOICE.pcm), VOICE.pcm)


def test_a_hum_that_comes_and_goes() -> None:
    """The filter is there within 0.5 s of it, and gone when it has been away for some seconds."""
    clean = np.tile(VOICE.pcm, 4)
    first, last = 4 * SAMPLE_RATE, 10 * SAMPLE_RATE
    hummed = clean.copy()
    hum = 12_000 * np.sin(2 * np.pi * 50 * np.arange(last - first) / SAMPLE_RATE)
    hummed[first:last] += np.rint(hum).astype(np.int16)
    result = filtered(hummed)
    assert np.array_equal(result[:first], clean[:first])
    with_filter = result[last - SAMPLE_RATE : last].astype(float)
    assert np.abs(with_filter - HighPass(150).push(hummed)[last - SAMPLE_RATE : last]).max() <= 1
    assert np.array_equal(result[last + 6 * SAMPLE_RATE :], clean[last + 6 * SAMPLE_RATE :])


def faults() -> dict[str, np.ndarray]:
    """What cheap microphones and rooms add, of full scale 1."""
    random = np.random.default_rng(3)
    spectrum = np.fft.rfft(random.normal(size=len(SECONDS)))
    hertz = np.fft.rfftfreq(len(SECONDS), 1 / SAMPLE_RATE)
    spectrum[(hertz < 5) | (hertz > 70)] = 0
    rumble = np.fft.irfft(spectrum, len(SECONDS))
    return {
        "nothing": np.zeros(len(SECONDS)),
        "offset 3 %": np.full(len(SECONDS), 0.03),
        "offset 12 %": np.full(len(SECONDS), -0.12),
        "hum 50 Hz": 0.14 * np.sin(2 * np.pi * 50 * SECONDS),
        "hum 60 Hz": 0.14 * np.sin(2 * np.pi * 60 * SECONDS),
        "rumble": 0.1 * rumble / rumble.std(),
    }


@pytest.mark.parametrize("kind", ["file", "live", "rtp"])
@pytest.mark.parametrize("fault", list(faults()))
async def test_a_far_voice_is_recognised_over_a_fault(
    fault: str, kind: str, moonshine: Engine, scheduler: Scheduler
) -> None:
    """Speech at -45 dBFS under something 20 dB louder: every word of it."""
    voice = VOICE.pcm / 32768
    voice *= 10 ** (-45 / 20) / np.sqrt(np.mean(voice**2))
    sound = np.rint(32768 * (voice + faults()[fault])).astype(np.int16)
    service = Service(Settings(), Engines(moonshine), scheduler)
    async with service.session(SessionRequest(kind)) as session:  # type: ignore[arg-type]
        for piece in pieces(sound, list(range(3200, len(sound), 3200))):
            await session.write(piece)
        transcript = await session.finish()
    assert spoken(transcript.text) == spoken(VOICE.text)
