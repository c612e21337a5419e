"""Running a gate over a sound, and checking its events, for the tests of the VAD."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from coqui_server.config.audio import AudioSettings, Kind, VadSettings
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.speech.level import FRAME
from coqui_server.speech.vad import Closed, Gate, GateEvent, Opened, Speech
from tests.support.media import SPEECH, spoken
from tools.sounds import frame_levels, pieces, silence

KINDS: list[Kind] = ["file", "live", "rtp"]
Utterance = tuple[float, float, Samples]


def events(
    pcm: Samples,
    kind: Kind = "file",
    vad: VadSettings | None = None,
    cuts: Sequence[int] = (),
    frame: int = 20,
) -> list[GateEvent]:
    """The events of the gate for a sound pushed in slices that end at `cuts`."""
    gate = Gate(vad or VadSettings(), AudioSettings(frame_duration=frame), kind != "file")
    pushed = [event for piece in pieces(pcm, list(cuts)) for event in gate.push(piece)]
    return pushed + gate.flush()


def utterances(events: list[GateEvent]) -> list[Utterance]:
    """Start, end and samples of each utterance; asserts that the events are well formed."""
    result: list[Utterance] = []
    inside: list[Samples] | None = None
    start = 0.0
    for event in events:
        if isinstance(event, Opened):
            assert inside is None, "opened twice"
            start, inside = event.start, []
            continue
        assert inside is not None, "nothing is open"
        if isinstance(event, Speech):
            assert len(event.pcm)
            inside.append(event.pcm)
        elif isinstance(event, Closed):
            result.append((start, event.end, np.concatenate([silence(0), *inside])))
            inside = None
    assert inside is None, "left open"
    return result


def checked(pcm: Samples, kind: Kind = "file", vad: VadSettings | None = None) -> list[Utterance]:
    """The utterances of a sound, each checked against the samples it claims to be."""
    result = utterances(events(pcm, kind, vad))
    for start, end, samples in result:
        assert start < end
        assert np.array_equal(samples, pcm[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)])
    assert all(one[1] <= other[0] for one, other in pairwise(result))
    return result


def trimmed(name: str) -> Samples:
    """A clip from its first loud frame to its last."""
    pcm = spoken(name)
    loud = np.flatnonzero(frame_levels(pcm) > -40)
    return pcm[loud[0] * FRAME : (loud[-1] + 1) * FRAME]


def gapless(seconds: float) -> Samples:
    """Speech without a pause, as long as is asked for."""
    frames = np.concatenate([spoken(n)[: len(spoken(n)) // FRAME * FRAME] for n in SPEECH])
    kept = frames.reshape(-1, FRAME)[frame_levels(frames) > -45]
    return np.resize(kept.ravel(), round(seconds * SAMPLE_RATE))


def joined(*parts: Samples) -> Samples:
    """Sounds one after the other."""
    return np.concatenate(parts)
