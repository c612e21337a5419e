"""Vosk (Kaldi): streaming, with word times, confidences, alternatives and phrase lists."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import vosk

from coqui_server import models
from coqui_server.config.settings import Settings
from coqui_server.engines.base import Capabilities, Hypothesis, Options
from coqui_server.engines.vosk_pool import Kind, Lease, RecognizerPool
from coqui_server.exceptions import ConfigError, ModelError, ModelUnreachable
from coqui_server.media.samples import Samples
from coqui_server.models import catalogue, store
from coqui_transcript.transcript import Alternative, Word

_BLOCK = 4000
"""Samples per call, as in Vosk's own examples. The size of the slices changes Vosk's results, so
all sources use the same size: then a file and a call with the same sound give the same text."""

_PARTS = (("am/final.mdl", "final.mdl"), ("conf/mfcc.conf", "mfcc.conf"))
"""Files of which every Vosk model has one of each (newer layout, older layout)."""


def capabilities(settings: Settings) -> Capabilities:
    """What every model can do."""
    return Capabilities(
        streaming=True, words=True, confidence=True, alternatives=True, phrases=True
    )


def check(settings: Settings) -> Iterator[ConfigError]:
    """What is missing, without loading anything."""
    if _find(settings) is None:
        yield models.absent("vosk.model", settings.vosk.model, settings)


def load(settings: Settings) -> "Vosk":
    """The engine with the configured model, downloaded if it only has a name.

    Raises:
        ConfigError: there is no such model, or it cannot be fetched or read.
    """
    vosk.SetLogLevel(-1)
    folder = _find(settings) or _fetch(settings)
    if not all(any((folder / name).is_file() for name in names) for names in _PARTS):
        problem = f'found "{folder}", which is not a Vosk model; allowed: a folder with am and conf'
        raise ConfigError("vosk.model", problem)
    try:
        # The library reports a bad model with a plain Exception.
        return Vosk(folder, settings)
    except Exception as error:
        raise ConfigError("vosk.model", f'"{folder}" cannot be loaded: {error}') from error


def _find(settings: Settings) -> Path | None:
    """The model's folder: where all models are, or in one of Vosk's own places."""
    own = map(Path, filter(None, vosk.MODEL_DIRS))
    return models.find(settings.vosk.model, settings, *own)


def _fetch(settings: Settings) -> Path:
    named, folder = settings.vosk.model, settings.models.path
    if os.sep in named:
        raise ConfigError("vosk.model", f'found "{named}", allowed: the folder of a Vosk model')
    try:
        return store.get(catalogue.vosk(named), folder)
    except ModelUnreachable as offline:
        problem = f"{offline}; put the unpacked model into {folder} by hand"
        raise ConfigError("vosk.model", f'found "{named}": {problem}') from offline
    except (ModelError, OSError) as error:
        raise ConfigError("vosk.model", f'found "{named}": {error}') from error


class Vosk:
    """A Vosk model; its recognizers may run on different threads at once."""

    name = "vosk"

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.model = folder.name
        self.capabilities = capabilities(settings)
        self._defaults = settings.vosk
        self._pool = RecognizerPool(vosk.Model(str(folder)))

    def open(self, options: Options) -> "VoskRecognizer":
        """A recognizer for one utterance. The configuration gives what `options` leaves out."""
        phrases = options.phrases or self._defaults.phrases
        alternatives = options.alternatives or self._defaults.alternatives
        return VoskRecognizer(self._pool, (tuple(phrases), alternatives))


class VoskRecognizer:
    """One utterance. Vosk may split it into several results, which are joined here."""

    def __init__(self, pool: RecognizerPool, kind: Kind) -> None:
        self._pool = pool
        self._lease: Lease | None = pool.lend(kind)
        self._rest = np.empty(0, np.int16)
        self._results: list[dict[str, Any]] = []

    def feed(self, pcm: Samples) -> None:
        joined = np.concatenate((self._rest, pcm))
        whole = len(joined) // _BLOCK * _BLOCK
        self._rest = joined[whole:]
        for block in joined[:whole].reshape(-1, _BLOCK):
            self._accept(block)

    def partial(self) -> Hypothesis:
        lease = self._checked()
        now = json.loads(lease.native.PartialResult())
        return _joined([*self._results, {"text": now.get("partial", "")}], lease.start)

    def finish(self) -> Hypothesis:
        self._accept(self._rest)
        lease, self._lease = self._checked(), None
        last = json.loads(lease.native.FinalResult())
        self._pool.give_back(lease)
        return _joined([*self._results, last], lease.start)

    def _accept(self, block: Samples) -> None:
        lease = self._checked()
        lease.fed += len(block)
        if lease.native.AcceptWaveform(block.tobytes()):
            self._results.append(json.loads(lease.native.Result()))

    def _checked(self) -> Lease:
        if self._lease is None:
            raise RuntimeError("this recognizer has finished")
        return self._lease


def _joined(results: list[dict[str, Any]], start: float) -> Hypothesis:
    """One hypothesis from Vosk's results, in both of the shapes it gives them.

    Args:
        start: when the utterance began on the recognizer's clock, in seconds.
    """
    readings = [result["alternatives"] for result in results if result.get("alternatives")]
    best = [choices[0] for choices in readings] or results
    texts = [text for part in best if (text := part["text"].strip())]
    words = tuple(
        Word(word["word"], _time(word["start"], start), _time(word["end"], start), word.get("conf"))
        for part in best
        for word in part.get("result", ())
    )
    heard = [word.confidence for word in words if word.confidence is not None]
    return Hypothesis(
        " ".join(texts),
        words,
        sum(heard) / len(heard) if heard else None,
        _alternatives([choices for choices in readings if choices[0]["text"].strip()]),
    )


def _time(seconds: float, start: float) -> float:
    """Vosk's frames are 0.01 s; rounding takes away what its single precision adds."""
    return round(seconds - start, 2)


def _alternatives(readings: list[list[dict[str, Any]]]) -> tuple[Alternative, ...]:
    """The readings of an utterance that Vosk left whole; those of its parts do not combine."""
    if len(readings) != 1:
        return ()
    return tuple(Alternative(one["text"].strip(), one["confidence"]) for one in readings[0])
