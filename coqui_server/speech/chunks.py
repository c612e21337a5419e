"""Joins neighbouring utterances into chunks, as long as one request to a service may be.

A service that transcribes files recognises a sentence better with those around it, and each request
costs a round trip. The output is gate events again, of fewer and longer utterances. They are cut
only where the gate cut, and the silences inside are zeros, so that times stay true.
"""

from math import inf

import numpy as np

from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.speech.vad import Closed, Gate, GateEvent, Opened, Speech

_WIDEST = 5.0
"""Seconds of silence that are sent along; services bill silence like speech."""


class ChunkingGate:
    """A gate that joins its utterances."""

    def __init__(self, gate: Gate, longest: float) -> None:
        self._gate = gate
        self._chunks = Chunks(longest)

    @property
    def earliest(self) -> float:
        """As `Gate.earliest`."""
        return min(self._gate.earliest, self._chunks.earliest)

    def push(self, pcm: Samples) -> list[GateEvent]:
        """As `Gate.push`."""
        return self._chunks.push(self._gate.push(pcm))

    def flush(self) -> list[GateEvent]:
        """As `Gate.flush`."""
        return self._chunks.push(self._gate.flush()) + self._chunks.flush()

    def expect(self, seconds: float) -> list[GateEvent]:
        """As `Gate.expect`: without effect, as files are not waited for."""
        return []

    def skip(self, samples: int) -> list[GateEvent]:
        """As `Gate.skip`."""
        return self._chunks.push(self._gate.skip(samples)) + self._chunks.flush()


class Chunks:
    """Joins utterances into chunks of at most `longest` seconds. No clock, no I/O.

    An utterance is held until it is closed, for only then is it known to fit. One that is longer
    than `longest` by itself stays as it is: the gate limits the length of utterances.
    """

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._utterance: Opened | None = None
        self._held: list[Samples] = []
        self._chunk: tuple[float, float] | None = None

    @property
    def earliest(self) -> float:
        """Where the open utterance begins, of which no chunk is known yet; infinite without one."""
        return self._utterance.start if self._utterance else inf

    def push(self, events: list[GateEvent]) -> list[GateEvent]:
        """Take the gate's next events; give those of the chunks."""
        chunked: list[GateEvent] = []
        for event in events:
            match event:
                case Opened():
                    self._utterance = event
                case Speech(pcm):
                    self._held.append(pcm)
                case Closed(end) if self._utterance:
                    chunked += self._join(self._utterance.start, end)
                    self._utterance = None
        return chunked

    def flush(self) -> list[GateEvent]:
        """The end of the stream: the chunk is over. The gate was flushed before."""
        chunk, self._chunk = self._chunk, None
        return [Closed(chunk[1])] if chunk else []

    def _join(self, start: float, end: float) -> list[GateEvent]:
        events: list[GateEvent] = []
        if self._chunk and not self._fits(*self._chunk, start, end):
            events += self.flush()
        if self._chunk is None:
            self._chunk = start, end
            events.append(Opened(start))
        else:
            silence = round((start - self._chunk[1]) * SAMPLE_RATE)
            self._held.insert(0, np.zeros(silence, np.int16))
            self._chunk = self._chunk[0], end
        events += [Speech(pcm) for pcm in self._held if len(pcm)]
        self._held = []
        return events

    def _fits(self, first: float, last: float, start: float, end: float) -> bool:
        return end - first <= self._longest and start - last <= _WIDEST
