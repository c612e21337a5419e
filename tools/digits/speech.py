"""Spoken sequences, kept on disk so that they are synthesised once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from coqui_server.media.samples import Samples
from tools.digits.voices import Voice, sequence, speak


@dataclass(frozen=True)
class Spoken:
    """What was said and how it sounds, at 16 kHz."""

    words: tuple[str, ...]
    pcm: Samples


def spoken(voice: Voice, count: int, seed: int, folder: Path) -> list[Spoken]:
    """So many random sequences in this voice, from `folder` if they are there."""
    path = folder / f"{voice.engine}-{voice.name.replace(' ', '-')}-{count}-{seed}.npz"
    if not path.exists():
        random = np.random.default_rng([seed, *f"{voice.engine}-{voice.name}".encode()])
        sequences = [sequence(random) for _ in range(count)]
        sounds = speak(voice, sequences, random)
        _write(path, sequences, list(tqdm(sounds, path.stem, count)))
    return _read(path)


def _write(path: Path, sequences: Sequence[tuple[str, ...]], sounds: Sequence[Samples]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    texts = [" ".join(words) for words in sequences]
    lengths = [len(pcm) for pcm in sounds]
    np.savez(part, texts=texts, lengths=lengths, pcm=np.concatenate(sounds))
    part.replace(path)


def _read(path: Path) -> list[Spoken]:
    with np.load(path) as kept:
        sounds = np.split(kept["pcm"], np.cumsum(kept["lengths"])[:-1])
        return [
            Spoken(tuple(str(text).split()), pcm)
            for text, pcm in zip(kept["texts"], sounds, strict=True)
        ]
