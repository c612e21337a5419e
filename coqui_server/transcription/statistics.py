"""Sums over all sessions since the daemon started, by kind."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self, get_args

from coqui_server.config.audio import Kind
from coqui_server.transcription.session import Session

KINDS: tuple[Kind, ...] = get_args(Kind)

PACKET_COUNTERS = ("packets", "lost", "late", "duplicates", "overrun")
"""The counters of RTP packets in a call's statistics. The one place that names them."""


@dataclass
class Totals:
    """Sums over sessions; `sound` and `decoding` are seconds, `dropped` is words."""

    sessions: int = 0
    sound: float = 0.0
    decoding: float = 0.0
    utterances: int = 0
    words: int = 0
    dropped: int = 0

    def add(self, session: Session) -> Self:
        """Take one session in, as it is now."""
        self.sessions += 1
        self.sound += session.duration
        self.decoding += session.decoding_seconds
        self.utterances += len(session.segments)
        self.words += sum(len(segment.text.split()) for segment in session.segments)
        self.dropped += session.statistics["dropped_words"]
        return self


class Statistics:
    """The sums of the sessions that are over, and on request with those that are open.

    Attributes:
        refused: sessions there was no room for, by kind.
        packets: of the calls that are over, by the names of `PACKET_COUNTERS`.
    """

    def __init__(self) -> None:
        self.refused: Counter[Kind] = Counter()
        self.packets: Counter[str] = Counter()
        self._ended: dict[Kind, Totals] = {kind: Totals() for kind in KINDS}

    def add(self, session: Session) -> None:
        """A session is over."""
        self._ended[session.request.kind].add(session)
        counted = session.statistics
        self.packets.update({name: counted[name] for name in PACKET_COUNTERS if name in counted})

    def totals(self, open: Iterable[Session]) -> dict[Kind, Totals]:
        """Sums by kind, with those of the sessions that are still open."""
        sums = {kind: Totals(**vars(ended)) for kind, ended in self._ended.items()}
        for session in open:
            sums[session.request.kind].add(session)
        return sums
