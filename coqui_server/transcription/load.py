"""How much decoding the live sessions need, from what it has cost so far.

A live session needs so many seconds of decoding for each second of sound. Only finals count, since
partials can be left out. A session too young to be measured counts as a typical one.
"""

from collections.abc import Iterable
from typing import Protocol

FULL = 0.8
"""The share of all threads' time that may be promised; the rest evens out who speaks when."""

_YOUNG = 15.0
"""Seconds of sound before which a session's own figure says little."""

_MEMORY = 1800.0
"""Seconds of sound the typical figure is drawn from; older ones fade."""


class Measured(Protocol):
    """The measured part of a session: seconds of sound, and of decoding for its finals."""

    @property
    def duration(self) -> float: ...

    @property
    def final_seconds(self) -> float: ...


class Load:
    """The demand of the live sessions of `threads` decoder threads."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._sound = self._work = 0.0

    def expect(self, cost: float) -> None:
        """Until sessions are measured, assume `cost` seconds of decoding for a second of sound."""
        self._sound += _YOUNG
        self._work += cost * _YOUNG

    def learn(self, session: Measured) -> None:
        """Add a session that has ended to the typical figure."""
        self._sound += session.duration
        self._work += session.final_seconds
        if self._sound > _MEMORY:
            self._work *= _MEMORY / self._sound
            self._sound = _MEMORY

    def demand(self, sessions: Iterable[Measured]) -> float:
        """Threads that these sessions keep busy."""
        open = list(sessions)
        typical = self._typical(open)
        return sum(typical if s.duration < _YOUNG else s.final_seconds / s.duration for s in open)

    def admits(self, sessions: Iterable[Measured]) -> bool:
        """Whether there is room for one more beside these.

        The first is always admitted: a figure measured while other programs were busy is corrected
        only by sessions.
        """
        open = list(sessions)
        return not open or self.demand(open) + self._typical(open) <= FULL * self.threads

    def _typical(self, sessions: list[Measured]) -> float:
        """Threads a session keeps busy, over those that ended and those that are open."""
        sound = self._sound + sum(session.duration for session in sessions)
        work = self._work + sum(session.final_seconds for session in sessions)
        return work / sound if sound >= _YOUNG else 0.0
