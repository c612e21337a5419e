"""Sounds made by formula, and small measurements of sound, for tests and benchmarks.

All are 16 kHz int16. Noise is seeded, so that a sound of a name is the same in every run.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.speech.level import FRAME

Wave = npt.NDArray[np.float64]

_DTMF = {"1": (697, 1209), "5": (770, 1336), "9": (852, 1477), "0": (941, 1336), "#": (941, 1477)}


def silence(seconds: float) -> Samples:
    """Digital silence."""
    return np.zeros(round(seconds * SAMPLE_RATE), np.int16)


def at(dbfs: float, wave: Wave) -> Samples:
    """A wave brought to an RMS level, clipped where it must be."""
    rms = np.sqrt(np.mean(np.square(wave)))
    scaled: Wave = wave / rms * 10 ** (dbfs / 20) * 32768
    clipped: Samples = np.clip(np.rint(scaled), -32768, 32767).astype(np.int16)
    return clipped


def louder(pcm: Samples, decibels: float) -> Samples:
    """The same sound with a gain, clipped where it must be."""
    scaled = np.rint(pcm * 10 ** (decibels / 20))
    clipped: Samples = np.clip(scaled, -32768, 32767).astype(np.int16)
    return clipped


def rms(pcm: Samples) -> float:
    """RMS level in dBFS."""
    return float(10 * np.log10(np.mean(np.square(pcm / 32768)) + 1e-12))


def frame_levels(pcm: Samples) -> Wave:
    """The level of each 20 ms, in dBFS."""
    frames = pcm[: len(pcm) // FRAME * FRAME].reshape(-1, FRAME) / 32768
    return np.asarray(10 * np.log10(np.mean(np.square(frames), axis=1) + 1e-12))


def speech_level(pcm: Samples) -> float:
    """The mean level of the frames within 15 dB of the loud ones, in dBFS."""
    levels = frame_levels(pcm)
    voice = levels[levels > np.percentile(levels, 95) - 15]
    return float(10 * np.log10(np.mean(10 ** (voice / 10))))


def pieces(pcm: Samples, cuts: list[int]) -> Iterator[Samples]:
    """The sound in slices that end at these places."""
    places = [0, *sorted(min(cut, len(pcm)) for cut in cuts), len(pcm)]
    for start, end in pairwise(places):
        yield pcm[start:end]


def white(seconds: float, seed: int = 1) -> Wave:
    """Noise with the same power at all frequencies."""
    return np.random.default_rng(seed).standard_normal(round(seconds * SAMPLE_RATE))


def coloured(seconds: float, exponent: float, seed: int = 2) -> Wave:
    """Noise whose power falls with frequency: exponent 1 is pink, 2 is brown."""
    spectrum = np.fft.rfft(white(seconds, seed))
    frequencies = np.fft.rfftfreq(round(seconds * SAMPLE_RATE), 1 / SAMPLE_RATE)
    spectrum *= np.maximum(frequencies, 20) ** (-exponent / 2)
    return np.asarray(np.fft.irfft(spectrum, round(seconds * SAMPLE_RATE)))


def times(seconds: float) -> Wave:
    """The time of each sample."""
    return np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def tones(seconds: float, *hertz: float) -> Wave:
    """Sines added up."""
    return np.asarray(sum(np.sin(2 * np.pi * f * times(seconds)) for f in hertz))


def cadence(wave: Wave, on: float, off: float) -> Wave:
    """A wave switched on and off, as telephone exchanges do."""
    return wave * (np.arange(len(wave)) / SAMPLE_RATE % (on + off) < on)


def dial(digits: str, on: float = 0.1, off: float = 0.1) -> Wave:
    """Keys pressed on a telephone."""
    pause = np.zeros(round(off * SAMPLE_RATE))
    return np.concatenate([part for d in digits for part in (tones(on, *_DTMF[d]), pause)])


def _sweep(seconds: float) -> Wave:
    return np.sin(2 * np.pi * (100 + 1900 / seconds * times(seconds)) * times(seconds))


def _hum(seconds: float) -> Wave:
    return np.asarray(sum(tones(seconds, 50.0 * n) / n for n in range(1, 8)))


def _clicks(seconds: float) -> Wave:
    wave = np.zeros(round(seconds * SAMPLE_RATE))
    wave[:: SAMPLE_RATE // 3] = 1.0
    return wave


def _beating(seconds: float) -> Wave:
    return white(seconds, 3) * (1 + 0.9 * np.sin(2 * np.pi * 4 * times(seconds)))


MADE: dict[str, Callable[[float], Wave]] = {
    "white": white,
    "pink": lambda seconds: coloured(seconds, 1),
    "brown": lambda seconds: coloured(seconds, 2),
    "amplitude-modulated noise": _beating,
    "dial tone": lambda seconds: tones(seconds, 350, 440),
    "european dial tone": lambda seconds: tones(seconds, 425),
    "ring tone": lambda seconds: cadence(tones(seconds, 440, 480), 2, 4),
    "european ring tone": lambda seconds: cadence(tones(seconds, 425), 1, 4),
    "busy tone": lambda seconds: cadence(tones(seconds, 480, 620), 0.5, 0.5),
    "slow dialling": lambda seconds: dial("1590#" * (round(seconds) + 1), 0.12, 0.08),
    "fast dialling": lambda seconds: dial("0951#" * (round(seconds) + 1) * 2, 0.05, 0.05),
    "sweep": _sweep,
    "hum": _hum,
    "square": lambda seconds: np.sign(tones(seconds, 220.3)) + 0.0,
    "clicks": _clicks,
}
"""Sounds that keep their spectrum, by name: a function of seconds."""


def typing(seconds: float, seed: int = 5) -> Wave:
    """Keys of a keyboard, pressed and let go in bursts, as noise and two short resonances."""
    random = np.random.default_rng(seed)
    wave = white(seconds, seed) / 1000
    moment = 0.1
    while moment < seconds:
        for delay, loudness in ((0.0, 1.0), (random.uniform(0.06, 0.1), 0.5)):
            click = loudness * random.uniform(0.4, 1) * _click(random)
            _add(wave, click, moment + delay)
        moment += random.uniform(0.08, 0.2) if random.random() < 0.8 else random.uniform(0.3, 0.8)
    return wave


def _click(random: np.random.Generator) -> Wave:
    moments = times(random.uniform(0.012, 0.045))
    ringing = random.standard_normal(len(moments))
    for hertz in (random.uniform(1500, 4500), random.uniform(150, 400)):
        ringing += np.sin(2 * np.pi * hertz * moments)
    return np.exp(-moments * random.uniform(150, 400)) * ringing


def breathing(seconds: float, seed: int = 6) -> Wave:
    """Breath near a microphone: a second in, one and a half out, as noise with three formants."""
    spectrum = np.fft.rfft(white(seconds, seed))
    hertz = np.fft.rfftfreq(round(seconds * SAMPLE_RATE), 1 / SAMPLE_RATE)
    formants = ((600, 300), (1500, 400), (2600, 600))
    spectrum *= sum(np.exp(-(((hertz - centre) / width) ** 2)) for centre, width in formants)
    moment = times(seconds) % 3.5
    into = np.where(moment < 1, np.sin(np.pi * moment), 0)
    out = np.where((moment > 1.3) & (moment < 2.8), 0.6 * np.sin(np.pi * (moment - 1.3) / 1.5), 0)
    flow = np.fft.irfft(spectrum, len(moment)) * (into + out)
    return np.asarray(flow + white(seconds, seed) / 1000)


def wind(seconds: float, seed: int = 8) -> Wave:
    """Wind on a microphone: noise below 150 Hz, steeply less above, in gusts of a second or two."""
    length = round(seconds * SAMPLE_RATE)
    spectrum = np.fft.rfft(white(seconds, seed))
    hertz = np.fft.rfftfreq(length, 1 / SAMPLE_RATE)
    spectrum /= 1 + (hertz / 150) ** 3
    gusts = np.random.default_rng(seed).uniform(0.1, 1, round(seconds / 0.7) + 2) ** 2
    strength = np.interp(times(seconds), np.arange(len(gusts)) * 0.7, gusts)
    return np.asarray(np.fft.irfft(spectrum, length) * strength)


def tune(seconds: float, seed: int = 7) -> Wave:
    """Music of plucked strings: a melody of five tones over three chords."""
    random = np.random.default_rng(seed)
    wave = np.zeros(round(seconds * SAMPLE_RATE))
    moment = 0.0
    for beat in range(round(seconds / 0.2)):
        if moment <= beat * 0.2:
            step = random.choice([0, 2, 4, 7, 9, 12, 14, 16])
            _add(wave, _string(262 * 2 ** (step / 12), 0.8), moment)
            moment += random.choice([0.2, 0.4, 0.4, 0.8])
        if beat % 8 == 0:
            root = 131 * 2 ** (random.choice([0, 5, 7]) / 12)
            for ratio in (1, 1.26, 1.5):
                _add(wave, _string(root * ratio, 0.7) / 2, beat * 0.2)
    return wave


def _string(hertz: float, brightness: float) -> Wave:
    """A string for 1.2 s: eight harmonics, the higher ones fainter and sooner gone."""
    moments = times(1.2)
    harmonics = (
        brightness**n * np.sin(2 * np.pi * n * hertz * moments) * np.exp(-moments * (1 + n))
        for n in range(1, 9)
    )
    return np.asarray(np.minimum(moments / 0.01, 1) * sum(harmonics))


def _add(wave: Wave, sound: Wave, moment: float) -> None:
    """Add a sound at a time, as much of it as there is room for."""
    place = wave[round(moment * SAMPLE_RATE) :][: len(sound)]
    place += sound[: len(place)]


LIVELY: dict[str, Callable[[float], Wave]] = {
    "typing": typing,
    "breathing": breathing,
    "wind": wind,
    "tune": tune,
    "ring-back": lambda seconds: MADE["ring tone"](seconds) + white(seconds) / 100,
    "european ring-back": lambda seconds: MADE["european ring tone"](seconds) + white(seconds) / 50,
}
"""Sounds that change as much as speech does, by name: a function of seconds."""
