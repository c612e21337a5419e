"""How well the digit recogniser hears, through the daemon's own engine."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import jiwer
import numpy as np

from coqui_server.config.engines import CoquiSettings
from coqui_server.config.settings import Settings
from coqui_server.engines.base import DEFAULT_OPTIONS, Engine
from coqui_server.engines.coqui import DIGITS, load
from coqui_server.media.samples import Samples
from tools.digits.sound import telephone
from tools.digits.speech import Spoken
from tools.digits.voices import Voice


def evaluate(speech: Mapping[Voice, Sequence[Spoken]]) -> None:
    """Print the digit errors in percent, for each voice, without and with the scorer."""
    alone = load(Settings(coqui=CoquiSettings(model=Path(DIGITS / "digits.tflite"))))
    scored = load(Settings())
    print(f"{'voice':24}{'alone':>8}{'scorer':>8}{'telephone, scorer':>20}")
    for voice, sequences in speech.items():
        errors = (
            digit_errors(alone, sequences),
            digit_errors(scored, sequences),
            digit_errors(scored, sequences, _telephoned),
        )
        print(f"{voice.engine} {voice.name}".ljust(24), end="")
        print("{:7.1f}%{:7.1f}%{:19.1f}%".format(*(100 * share for share in errors)))


def digit_errors(
    engine: Engine,
    sequences: Sequence[Spoken],
    through: Callable[[Samples], Samples] = lambda pcm: pcm,
) -> float:
    """Words wrong, missing and made up, as a share of the words said."""
    heard = []
    for each in sequences:
        recognizer = engine.open(DEFAULT_OPTIONS)
        recognizer.feed(through(each.pcm))
        heard.append(recognizer.finish().text)
    return float(jiwer.wer([" ".join(each.words) for each in sequences], heard))


def _telephoned(pcm: Samples) -> Samples:
    heard = telephone(pcm.astype(np.float32) / np.float32(32768))
    return np.clip(heard * 32768, -32768, 32767).astype(np.int16)
