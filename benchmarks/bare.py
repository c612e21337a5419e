"""The engines without the daemon: the yardsticks that ratios are taken to."""

from collections.abc import Callable

import numpy as np

from coqui_server.config.settings import Settings
from coqui_server.engines import load_engine
from coqui_server.engines.base import DEFAULT_OPTIONS, RemoteEngine
from coqui_server.engines.moonshine import packaged_model
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.speech.level import Leveller
from coqui_server.speech.vad import Closed, Gate, Opened, Speech

Recognise = Callable[[Samples], str]


def moonshine_voice() -> Recognise:
    """The `moonshine-voice` library, doing its own segmentation."""
    from moonshine_voice import ModelArch, Transcriber

    transcriber = Transcriber(str(packaged_model()), ModelArch.TINY)

    def recognise(pcm: Samples) -> str:
        lines = transcriber.transcribe_without_streaming((pcm / 32768).tolist(), SAMPLE_RATE).lines
        return " ".join(line.text for line in lines)

    return recognise


def engine(settings: Settings) -> Recognise:
    """Our engine's recognizer, one utterance after another on the calling thread."""
    loaded = load_engine(settings)
    assert not isinstance(loaded, RemoteEngine)

    def recognise(pcm: Samples) -> str:
        recognizer = loaded.open(DEFAULT_OPTIONS)
        recognizer.feed(pcm)
        return recognizer.finish().text

    return recognise


def utterances(pcm: Samples, settings: Settings) -> list[Samples]:
    """What the daemon's level and gate make of a file."""
    leveller = Leveller(settings.level, 30.0)
    gate = Gate(settings.vad, settings.audio, False)
    events = gate.push(leveller.push(pcm)) + gate.push(leveller.flush()) + gate.flush()
    found: list[list[Samples]] = []
    for event in events:
        match event:
            case Opened():
                found.append([])
            case Speech(samples):
                found[-1].append(samples)
            case Closed():
                pass
    return [np.concatenate(parts) for parts in found]
