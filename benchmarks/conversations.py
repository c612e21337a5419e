"""Conversations with known turns, mixed from recordings of single people.

The recordings of a person are cut at their pauses into turns of a few seconds. People take turns at
random; each begins a pause after the one before, or so much earlier that the wanted share of all
speech is two people at once.
"""

import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from benchmarks.speech import Clip
from coqui_server.media.samples import SAMPLE_RATE, Samples

Turn = tuple[float, float, str]
"""Start and end in seconds, and who."""

_PERSON = re.compile(r"(ls_\d+|vctk_p\d+|arctic_a\D+_|call_[a-z\d]+_|so_\d{5}|sonnet|osr|ljspeech)")
"""The part of a file's name that says who speaks. Other recordings have no known speaker."""

_FRAME = 160
_QUIET = 0.08
"""The share of a recording's loud level (95th percentile) below which a frame is silent."""
_PAUSE = 0.3
_LEAST, _LONGEST = 1.0, 5.0
_LEVEL = 2500.0


@dataclass(frozen=True)
class Conversation:
    """Sound at 16 kHz, and who speaks when in it."""

    name: str
    pcm: Samples
    turns: Sequence[Turn]


def people(folders: Iterable[Path], least: float = 9.0) -> dict[str, list[Samples]]:
    """The turns of each person who has so many seconds of speech, all at one level."""
    turns: dict[str, list[Samples]] = defaultdict(list)
    for folder in folders:
        for path in sorted((folder / "clips").iterdir()):
            if person := _PERSON.match(path.name):
                turns[person.group()] += _turns(Clip(path, "").pcm())
    enough = least * SAMPLE_RATE
    return {who: parts for who, parts in turns.items() if sum(map(len, parts)) >= enough}


def mixed(
    people: dict[str, list[Samples]],
    count: int,
    overlap: float,
    *,
    seconds: float = 120.0,
    seed: int = 1,
    mu_law: bool = False,
) -> Conversation:
    """A conversation of `count` of these people, with such a share of two at once."""
    random = np.random.default_rng(seed)
    chosen = random.choice(sorted(people), count, replace=False).tolist()
    rests = {who: _shuffled(people[who], random) for who in chosen}
    sound = np.zeros(round((seconds + _LONGEST) * SAMPLE_RATE), np.float32)
    turns: list[Turn] = []
    end, before, who = 0.5, 0.0, chosen[0]
    while end < seconds and (others := [w for w in chosen if w != who and rests[w]]):
        who = str(random.choice(others))
        part = rests[who].pop()
        length = len(part) / SAMPLE_RATE
        # Of two turns of a and b seconds that share s, the share of two at once is s / (a + b - s).
        shared = min(overlap * length / (1 + overlap), 0.8 * before)
        start = end - shared if overlap else end + random.uniform(0.1, 0.8)
        place = round(start * SAMPLE_RATE)
        sound[place : place + len(part)] += part
        turns.append((start, start + length, who))
        before, end = length, max(end, start + length)
    pcm = sound[: round((end + 0.5) * SAMPLE_RATE)].clip(-32768, 32767).astype(np.int16)
    name = f"{count} people, {overlap:.0%} at once, {'mu-law' if mu_law else 'wide band'}"
    return Conversation(name, _telephone(pcm) if mu_law else pcm, turns)


def recorded(folder: Path, name: str) -> Conversation:
    """A recording whose manifest has its turns."""
    with (folder / "manifest.tsv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        row = next(row for row in rows if row["file"] == name)
    turns = [(start, end, who) for start, end, who, _ in json.loads(row["turns"])]
    return Conversation(name, Clip(folder / "clips" / name, "").pcm(), turns)


def _turns(pcm: Samples) -> list[Samples]:
    """The pieces between pauses, the longest no longer than a turn."""
    frames = pcm[: len(pcm) // _FRAME * _FRAME].reshape(-1, _FRAME).astype(np.float32)
    levels = np.sqrt((frames**2).mean(axis=1))
    loud = np.percentile(levels, 95)
    wide = round(_PAUSE * SAMPLE_RATE / _FRAME)
    speech = np.convolve(levels > _QUIET * loud, np.ones(wide), "same") > 0
    edges = np.flatnonzero(np.diff(speech, prepend=False, append=False)).reshape(-1, 2)
    turns = []
    for begin, end in edges.tolist():
        pieces = max(1, round((end - begin) * _FRAME / SAMPLE_RATE / _LONGEST + 0.4))
        parts = np.array_split(frames[begin + wide // 2 : end - wide // 2], pieces)
        turns += [part.ravel() for part in parts if part.size >= _LEAST * SAMPLE_RATE]
    return [(turn * (_LEVEL / loud)).astype(np.int16) for turn in turns]


def _shuffled(parts: list[Samples], random: np.random.Generator) -> list[Samples]:
    return [parts[place] for place in random.permutation(len(parts))]


def _telephone(pcm: Samples) -> Samples:
    """The same sound through 8 kHz and mu-law (ITU-T G.711)."""
    narrow = _resampled(pcm, SAMPLE_RATE, 8000).astype(np.float64) / 32768
    levels = np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256)
    steps = np.round(levels * 127) / 127
    coarse = np.sign(steps) * np.expm1(np.abs(steps) * np.log(256)) / 255
    return _resampled((coarse * 32767).astype(np.int16), 8000, SAMPLE_RATE)


def _resampled(pcm: Samples, before: int, after: int) -> Samples:
    frame = av.AudioFrame.from_ndarray(pcm[None], "s16", "mono")
    frame.sample_rate = before
    resampler = av.AudioResampler("s16", "mono", after)
    pieces = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([piece.to_ndarray()[0] for piece in pieces])
