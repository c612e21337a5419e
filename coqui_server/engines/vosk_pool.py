"""Vosk's native recognizers, kept for the next utterance.

A recognizer composes the part of the decoding graph that the speech asks for, and keeps it. Made
anew for each utterance, it spends over 40 % of its time composing the same parts again. After
`FinalResult()` its features and its search start anew, and only the graph stays. The words are
those of a new one, but for readings that are nearly as good as each other: which of them the search
leaves out depends on the order in which the graph was composed. Its clock goes on, so a lease says
where the utterance began on it.
"""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import vosk

from coqui_server.media.samples import SAMPLE_RATE

Kind = tuple[tuple[str, ...], int]
"""Phrases and number of alternatives: what a recognizer is made with."""

_IDLE = 8
"""Recognizers kept while no utterance needs them."""

_SECONDS = 1800.0
"""Sound after which a recognizer is given up. Its graph grew to 187 MB in the first two minutes of
speech, and to 201 MB in half an hour; in a language that the model does not know to 292 MB in six
minutes, and to 303 MB in twenty. A new one costs as much as three minutes of speech."""

_REST = 60.0
"""Seconds without an utterance after which a recognizer is given up, at the next utterance."""


@dataclass
class Lease:
    """A native recognizer for one utterance.

    Attributes:
        start: seconds of sound it had been fed before; its word times count from there.
        fed: samples of this utterance.
    """

    kind: Kind
    native: Any
    start: float = 0.0
    fed: int = 0

    @property
    def end(self) -> float:
        return self.start + self.fed / SAMPLE_RATE


class RecognizerPool:
    """Lends recognizers of one model, and keeps a few that are idle. For many threads."""

    def __init__(self, model: vosk.Model, clock: Callable[[], float] = time.monotonic) -> None:
        self._model = model
        self._clock = clock
        self._lock = threading.Lock()
        self._idle: list[tuple[float, Lease]] = []

    def lend(self, kind: Kind) -> Lease:
        """The recognizer of this kind that was used last, or a new one."""
        with self._lock:
            oldest = self._clock() - _REST
            self._idle = [(at, lease) for at, lease in self._idle if at >= oldest]
            for place in reversed(range(len(self._idle))):
                if self._idle[place][1].kind == kind:
                    _, lease = self._idle.pop(place)
                    return Lease(kind, lease.native, lease.end)
        return Lease(kind, self._made(kind))

    def give_back(self, lease: Lease) -> None:
        """Keep a recognizer whose utterance has had its `FinalResult()`."""
        if lease.end >= _SECONDS:
            return
        with self._lock:
            self._idle.append((self._clock(), lease))
            del self._idle[:-_IDLE]

    def _made(self, kind: Kind) -> Any:
        phrases, alternatives = kind
        grammar = [json.dumps([*phrases, "[unk]"], ensure_ascii=False)] if phrases else []
        native = vosk.KaldiRecognizer(self._model, SAMPLE_RATE, *grammar)
        native.SetWords(True)
        native.SetMaxAlternatives(alternatives)
        return native
