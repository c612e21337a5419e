"""What happens to a voice on its way: distance, rooms, noise, and above all the telephone."""

from functools import cache

import numpy as np
import numpy.typing as npt
import soxr

from coqui_server.media.samples import SAMPLE_RATE, Samples

Wave = npt.NDArray[np.float32]


def clean(pcm: Samples) -> Wave:
    """The sound, within -1 to 1, with a little silence around it, which is never quite silent."""
    wave: Wave = np.pad(pcm.astype(np.float32) / np.float32(32768), SAMPLE_RATE // 8)
    return wave + np.float32(1e-4) * noise(len(wave), np.random.default_rng(len(wave)))


def disturbed(pcm: Samples, random: np.random.Generator) -> Wave:
    """The sound, within -1 to 1, as it might arrive; most of the time not as it left."""
    wave: Wave = pcm.astype(np.float32) / np.float32(32768)
    if random.random() < 0.5:
        # Faster and higher, or slower and lower: another speaker.
        wave = soxr.resample(wave, SAMPLE_RATE, SAMPLE_RATE / random.uniform(0.85, 1.18), "MQ")
    wave = _padded(wave, random)
    if random.random() < 0.2:
        wave = _reverberant(wave, random)
    wave = wave * np.float32(10 ** (random.uniform(-36, -18) / 20) / (_rms(wave) + 1e-9))
    if random.random() < 0.5:
        wave = wave + noise(len(wave), random) * np.float32(
            _rms(wave) * 10 ** (-random.uniform(8, 35) / 20)
        )
    if random.random() < 0.4:
        wave = telephone(wave)
    return np.clip(wave, -1, 1).astype(np.float32)


def noise(length: int, random: np.random.Generator) -> Wave:
    """Coloured noise between white and brown, of RMS 1, from a store of it."""
    kept = _noises()[random.integers(len(_noises()))]
    start = random.integers(len(kept) - length)
    return kept[start : start + length]


@cache
def _noises() -> list[Wave]:
    random, size = np.random.default_rng(0), 1 << 20
    frequencies = np.maximum(np.fft.rfftfreq(size, 1 / SAMPLE_RATE), 50)
    spectra = [np.fft.rfft(random.standard_normal(size)) for _ in range(8)]
    slopes = np.linspace(0, 1, len(spectra))
    waves = [
        np.fft.irfft(s * frequencies**-slope) for s, slope in zip(spectra, slopes, strict=True)
    ]
    return [(wave / _rms(wave)).astype(np.float32) for wave in waves]


def telephone(wave: Wave) -> Wave:
    """Through 8 kHz and G.711's mu-law, its table written as the curve it follows."""
    narrow = np.clip(soxr.resample(wave, SAMPLE_RATE, 8000), -1, 1)
    curve = np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256)
    stepped = np.rint(curve * 127) / 127
    heard = np.sign(stepped) * (256 ** np.abs(stepped) - 1) / 255
    return np.asarray(soxr.resample(heard.astype(np.float32), 8000, SAMPLE_RATE))


def _padded(wave: Wave, random: np.random.Generator) -> Wave:
    before, after = random.integers(0, SAMPLE_RATE // 2, 2)
    return np.pad(wave, (before, after))


def _reverberant(wave: Wave, random: np.random.Generator) -> Wave:
    length = int(random.uniform(0.05, 0.3) * SAMPLE_RATE)
    echo = noise(length, random) * np.exp(-6.9 * np.arange(length) / length)
    echo *= random.uniform(0.1, 0.6) / np.sqrt(np.sum(np.square(echo)))
    echo[0] = 1
    # A power of two: the transform of just any length takes ten times as long.
    size = 1 << (len(wave) + length).bit_length()
    wet = np.fft.irfft(np.fft.rfft(wave, size) * np.fft.rfft(echo, size), size)
    return wet[: len(wave)].astype(np.float32)


def _rms(wave: npt.NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(np.square(wave))))
