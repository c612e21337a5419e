"""Utterances of several legs, which are decoded independently, into the order of speech. No I/O."""

import heapq
from collections.abc import Iterator

from coqui_server.transcription.reporter import Reported


class Order:
    """Holds utterances until no earlier one can come.

    The legs are written in step, so what is held is what was said during the longest utterance.
    """

    def __init__(self) -> None:
        self._held: list[tuple[float, int, Reported]] = []
        self._count = 0

    def add(self, utterance: Reported) -> None:
        """Take the next utterance of any leg."""
        self._count += 1
        heapq.heappush(self._held, (utterance.start, self._count, utterance))

    def take(self, earliest: float) -> Iterator[Reported]:
        """Those that begin at or before `earliest`, in order: no leg has an earlier one left."""
        while self._held and self._held[0][0] <= earliest:
            yield heapq.heappop(self._held)[-1]
