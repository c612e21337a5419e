"""What the benchmarks listen to, how they count words, and how they ask the daemon."""

import asyncio
import csv
import json
import re
import subprocess
import wave
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
from websockets.asyncio.client import connect

from coqui_server.media.ffmpeg import find_ffmpeg
from coqui_server.media.samples import SAMPLE_RATE, Samples
from tools.daemon import ROOT

SAMPLES = ROOT / "samples"
FRAME = 160
"""Bytes of mu-law in 20 ms, what a packet usually has."""

QUIET = b"\xff" * FRAME
"""A frame of mu-law silence."""

_FRAGMENT = 65536


@dataclass(frozen=True)
class Clip:
    """A recording and what is said in it."""

    path: Path
    text: str

    def pcm(self) -> Samples:
        """Its sound as 16 kHz mono int16."""
        return np.frombuffer(self._as("s16le", SAMPLE_RATE), "<i2")

    def mu_law(self) -> list[bytes]:
        """Its sound as a telephone has it (PCMU, 8 kHz), in frames of 20 ms; the last is filled."""
        sound = self._as("mulaw", 8000)
        pieces = [sound[start : start + FRAME] for start in range(0, len(sound), FRAME)]
        return [piece.ljust(FRAME, QUIET[:1]) for piece in pieces]

    def _as(self, form: str, rate: int) -> bytes:
        command = [find_ffmpeg(), "-v", "error", "-i", str(self.path)]
        command += ["-ac", "1", "-ar", str(rate), "-f", form, "-"]
        return subprocess.run(command, capture_output=True, check=True).stdout


def clips(folder: Path, language: str = "en") -> list[Clip]:
    """The clips in a language that a folder's manifest.tsv (file, language, reference) has."""
    with (folder / "manifest.tsv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["language"] == language]
    return [Clip(_found(folder, row["file"]), row["reference"]) for row in rows]


def _found(folder: Path, name: str) -> Path:
    return next(path for path in (folder / name, folder / "clips" / name) if path.exists())


def normal(text: str) -> str:
    """Lower case, no punctuation but the apostrophe, hyphens as spaces. Digits stay digits."""
    return " ".join(re.sub(r"[^\w' ]", " ", text.lower().replace("’", "'")).split())


def errors(references: Iterable[str], heard: Iterable[str]) -> jiwer.WordOutput:
    """Word errors over all pairs, pooled."""
    return jiwer.process_words([normal(r) for r in references], [normal(h) for h in heard])


def write_wav(path: Path, pcm: Samples) -> Path:
    """A 16 kHz mono 16-bit WAV."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(pcm.tobytes())
    return path


async def ask(url: str, path: Path) -> dict[str, Any]:
    """The daemon's reply to one file, sent in fragments."""

    async def fragments() -> Any:
        with path.open("rb") as file:
            while data := await asyncio.to_thread(file.read, _FRAGMENT):
                yield data

    async with connect(
        f"{url}/api/v1/stt", compression=None, max_size=None, ping_timeout=None
    ) as socket:
        await socket.send(fragments())
        reply: dict[str, Any] = json.loads(await socket.recv())
    if "message" in reply:
        raise RuntimeError(f"{path.name}: {reply['message']}")
    return reply


def minutes_of(found: list[Clip], minutes: float) -> Samples:
    """The clips one after another, a second of silence between, over and over for so long."""
    pause = np.zeros(SAMPLE_RATE, np.int16)
    one_round = np.concatenate([part for clip in found for part in (clip.pcm(), pause)])
    return np.resize(one_round, round(minutes * 60 * SAMPLE_RATE))
