"""What the low cut gives: word errors with it and without, in clean sound and in faulty sound.

    python -m benchmarks.frontend FOLDER ... [--engine moonshine] [--live] [--json FILE]

Each FOLDER has a manifest.tsv (file, language, reference). Its clips are heard as they are and with
each fault of `FAULTS`, by the daemon's own filter, level and gate, those of files or with `--live`
those of live sound. `empty` counts clips with no text at all, `cut` the clips of which the low cut
changed anything.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.bare import Recognise, engine, utterances
from benchmarks.results import add_json, rows
from benchmarks.speech import Clip, clips, errors
from coqui_server.config.settings import Settings
from coqui_server.media.samples import SAMPLE_RATE, Samples
from tools.sounds import Wave, louder, speech_level, tones, wind

_OFFSET = 0.05 * 32768
_QUIET = -45.0
"""dBFS of the speech."""

Fault = Callable[[Samples], Samples]


def quiet(pcm: Samples) -> Samples:
    """Speech far from the microphone."""
    return louder(pcm, _QUIET - speech_level(pcm))


def offset(pcm: Samples) -> Samples:
    """A constant voltage of 5 % of full scale beside the sound."""
    return _samples(pcm.astype(np.float64) + _OFFSET)


def hum(decibels: float) -> Fault:
    """Mains hum, 50 Hz and two harmonics, so much louder than the speech."""

    def add(pcm: Samples) -> Samples:
        return _beside(pcm, tones(_seconds(pcm), 50, 100) + tones(_seconds(pcm), 150) / 3, decibels)

    return add


def windy(decibels: float) -> Fault:
    """Wind on the microphone, so much louder than the speech."""

    def add(pcm: Samples) -> Samples:
        return _beside(pcm, wind(_seconds(pcm)), decibels)

    return add


def clipped(decibels: float) -> Fault:
    """Speech that a converter cut off: its loud parts so far above full scale."""

    def clip(pcm: Samples) -> Samples:
        return louder(pcm, decibels - speech_level(pcm))

    return clip


FAULTS: dict[str, Fault] = {
    "as it is": lambda pcm: pcm,
    "quiet, -45 dBFS": quiet,
    "quiet, offset of 5 %": lambda pcm: offset(quiet(pcm)),
    "offset of 5 %": offset,
    "hum, as loud as the speech": hum(0),
    "hum, 10 dB louder": hum(10),
    "wind, as loud as the speech": windy(0),
    "wind, 10 dB louder": windy(10),
    "clipped, level at full scale": clipped(0),
    "clipped, 10 dB above": clipped(10),
}
"""By name: what becomes of the clean sound."""


@dataclass(frozen=True)
class Heard:
    """The texts of all clips, and the utterances that each was cut into."""

    texts: list[str]
    cuts: list[list[Samples]]


def main() -> None:
    arguments = _arguments()
    settings = Settings(engine=arguments.engine)
    recognise = engine(settings)
    found = [clip for folder in arguments.folders for clip in clips(folder)]
    columns = f"{'without':>8} {'empty':>6} {'with':>8} {'empty':>6} {'cut':>4}"
    print(f"{len(found)} clips\n{'':30} {columns}")
    with rows(arguments.json) as table:
        for name, fault in FAULTS.items():
            table.append({"fault": name, **_row(recognise, found, fault, settings, arguments.live)})
            row = table[-1]
            print(
                f"{name:30} {row['without']:8.2%} {row['empty_without']:6} {row['with']:8.2%} "
                f"{row['empty_with']:6} {row['cut']:4}",
                flush=True,
            )


def _row(
    recognise: Recognise, found: Sequence[Clip], fault: Fault, settings: Settings, live: bool
) -> dict[str, float]:
    off = settings.model_copy(update={"audio": settings.audio.model_copy(update={"highpass": 0})})
    sounds = [fault(clip.pcm()) for clip in found]
    without = _heard(recognise, sounds, off, live, None)
    with_it = _heard(recognise, sounds, settings, live, without)
    references = [clip.text for clip in found]
    pairs = zip(without.cuts, with_it.cuts, strict=True)
    return {
        "without": errors(references, without.texts).wer,
        "with": errors(references, with_it.texts).wer,
        "empty_without": without.texts.count(""),
        "empty_with": with_it.texts.count(""),
        "cut": sum(not _same(one, other) for one, other in pairs),
    }


def _heard(
    recognise: Recognise,
    sounds: Sequence[Samples],
    settings: Settings,
    live: bool,
    known: Heard | None,
) -> Heard:
    """What is heard; a clip whose utterances are those of `known` is not decoded again."""
    texts, cuts = list[str](), list[list[Samples]]()
    for place, sound in enumerate(sounds):
        cuts.append(utterances(sound, settings, live=live))
        if known and _same(cuts[-1], known.cuts[place]):
            texts.append(known.texts[place])
        else:
            texts.append(" ".join(filter(None, map(recognise, cuts[-1]))))
    return Heard(texts, cuts)


def _same(one: Sequence[Samples], other: Sequence[Samples]) -> bool:
    return len(one) == len(other) and all(map(np.array_equal, one, other))


def _beside(pcm: Samples, wave: Wave, decibels: float) -> Samples:
    """Speech and a wave of so many decibels above its level."""
    loudness = 10 ** ((speech_level(pcm) + decibels) / 20) * 32768
    return _samples(pcm + wave / np.sqrt(np.mean(np.square(wave))) * loudness)


def _samples(wave: Wave) -> Samples:
    samples: Samples = np.clip(np.rint(wave), -32768, 32767).astype(np.int16)
    return samples


def _seconds(pcm: Samples) -> float:
    return len(pcm) / SAMPLE_RATE


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--engine", default="moonshine")
    parser.add_argument("--live", action="store_true", help="as live sound, not as files")
    add_json(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
