"""The sample recordings with their texts, and how two transcripts are compared."""

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from coqui_server.media.samples import Samples

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "samples"


@dataclass(frozen=True)
class Clip:
    """A sample with its reference text."""

    path: Path
    text: str

    @property
    def pcm(self) -> Samples:
        """The samples of a 16 kHz 16-bit WAV."""
        with wave.open(str(self.path)) as file:
            assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (16000, 2, 1)
            return np.frombuffer(file.readframes(file.getnframes()), np.int16)


def clip(name: str) -> Clip:
    """The sample called `name`, for example "voicemail.wav"."""
    path = SAMPLES / name
    return Clip(path, path.with_suffix(".txt").read_text(encoding="utf-8").strip())


def spoken(text: str) -> str:
    """A text's words alone, in lower case: what two transcripts must agree on."""
    kept = (c if c.isalnum() or c in "' " else " " for c in text.lower().replace("’", "'"))
    return " ".join("".join(kept).split())
