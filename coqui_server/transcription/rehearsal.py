"""Measures how long an engine takes for speech on this machine, before the first session."""

import time

import numpy as np
import numpy.typing as npt

from coqui_server.config.settings import Settings
from coqui_server.engines.base import DEFAULT_OPTIONS, Engine
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.speech.level import Leveller
from coqui_server.speech.lowcut import LowCut
from coqui_server.speech.vad import Gate

Sound = npt.NDArray[np.float64]

_SECONDS = 4
_SYLLABLE = SAMPLE_RATE // 5
_MESSAGE = SAMPLE_RATE // 10
_WHOLE_SESSION = 1.9
_RING = np.arange(800)
"""Samples (50 ms) a formant rings for."""


def cost(engine: Engine) -> float:
    """Seconds of decoding that a second of speech takes on one thread. Blocks for as long.

    The first utterance of an engine does not count: Vosk took 0.37 s a second for it, 0.06 for the
    same one again, and 0.08 for other speech after that.
    """
    _decode(engine)
    start = time.perf_counter()
    _decode(engine)
    return (time.perf_counter() - start) / _SECONDS


def _decode(engine: Engine) -> None:
    recognizer = engine.open(DEFAULT_OPTIONS)
    recognizer.feed(babble())
    recognizer.finish()


def loop_cost(settings: Settings) -> float:
    """The share of the event loop that a live session needs. Blocks for some milliseconds.

    Measured are the filter, the level and the gate. With its socket, messages and events, a session
    needed 1.9 times as much.
    """
    lowcut, leveller = LowCut(settings.audio.highpass), Leveller(settings.level, 0.0)
    gate = Gate(settings.vad, settings.audio, live=True)
    voice = babble()
    start = time.thread_time()
    for place in range(0, len(voice), _MESSAGE):
        gate.push(leveller.push(lowcut.push(voice[place : place + _MESSAGE])))
    return _WHOLE_SESSION * (time.thread_time() - start) / _SECONDS


def babble() -> Samples:
    """A voice that says syllables of no language, 16 kHz mono int16.

    Engines work on it as they do on speech: Moonshine took 0.041 s a second for it, 0.038 and 0.041
    for two recordings, 0.017 for white noise.
    """
    random = np.random.default_rng(2)
    seconds = np.arange(_SECONDS * SAMPLE_RATE) / SAMPLE_RATE
    turns = np.cumsum(110 + 20 * np.sin(np.pi * seconds)) / SAMPLE_RATE
    pulses = np.diff(np.floor(turns), prepend=0.0).reshape(-1, _SYLLABLE)
    voice = np.concatenate([_syllable(some, random) for some in pulses])
    loud: Samples = (voice / np.abs(voice).max() * 12_000).astype(np.int16)
    return loud


def _syllable(pulses: Sound, random: np.random.Generator) -> Sound:
    """A vowel of three formants."""
    vowel = np.zeros(len(pulses))
    formants = (random.uniform(300, 800), random.uniform(900, 2200), 2600.0)
    for hertz, width in zip(formants, (80, 120, 160), strict=True):
        decay = np.exp(-np.pi * width / SAMPLE_RATE * _RING)
        ring = decay * np.sin(2 * np.pi * hertz / SAMPLE_RATE * _RING)
        vowel += np.convolve(pulses, ring)[: len(pulses)]
    return vowel * np.hanning(len(pulses))
