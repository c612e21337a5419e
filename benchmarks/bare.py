"""The engines without the daemon: the yardsticks that ratios are taken to."""

from collections.abc import Callable, Iterator

import numpy as np

from coqui_server.config.settings import Settings
from coqui_server.engines import load_engine
from coqui_server.engines.base import DEFAULT_OPTIONS, RemoteEngine
from coqui_server.engines.moonshine import packaged_model
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.speech.level import Leveller
from coqui_server.speech.lowcut import LowCut
from coqui_server.speech.vad import Gate, Opened, Speech

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


def utterances(pcm: Samples, settings: Settings, *, live: bool = False) -> list[Samples]:
    """What the daemon's filter, level and gate make of a file, or of live sound."""
    return [sound for _, sound in timed_utterances(pcm, settings, live=live)]


def timed_utterances(
    pcm: Samples, settings: Settings, *, live: bool = False
) -> Iterator[tuple[float, Samples]]:
    """The same, with their starts in seconds."""
    lowcut = LowCut(settings.audio.highpass)
    leveller = Leveller(settings.level, 0.0 if live else 30.0)
    gate = Gate(settings.vad, settings.audio, live)
    events = gate.push(leveller.push(lowcut.push(pcm)))
    rest = np.concatenate((leveller.push(lowcut.flush()), leveller.flush()))
    found: list[tuple[float, list[Samples]]] = []
    for event in [*events, *gate.push(rest), *gate.flush()]:
        match event:
            case Opened(start):
                found.append((start, []))
            case Speech(samples):
                found[-1][1].append(samples)
    yield from ((start, np.concatenate(parts)) for start, parts in found)
