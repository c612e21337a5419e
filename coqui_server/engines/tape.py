"""The sound without a final yet, and the conversion between a connection's time and the session's.

No I/O. A service counts the sound of a connection from 0. That is not the session's time: silence
may have been left out, and after a break unanswered sound is sent again to a new connection, which
counts from 0 again.
"""

from bisect import bisect_left, bisect_right
from collections import deque

from coqui_server.media.samples import SAMPLE_RATE, Samples


class Tape:
    """One session's sound from the first sample without a final to the newest."""

    def __init__(self) -> None:
        self._blocks: deque[tuple[int, Samples]] = deque()
        self._sent = 0
        self._end = 0
        self._unanswered = 0
        self._clock = 0
        # Where the two times diverge: samples of the connection, samples of the session.
        self._marks: list[tuple[int, int]] = []

    @property
    def unanswered(self) -> float:
        """Seconds of sound kept."""
        return self._unanswered / SAMPLE_RATE

    def write(self, pcm: Samples) -> None:
        """Take the next samples of the session."""
        if len(pcm):
            self._blocks.append((self._end, pcm))
            self._end += len(pcm)
            self._unanswered += len(pcm)

    def skip(self, samples: int) -> None:
        """Move the session's clock over silence that is not sent."""
        self._end += samples

    def rewind(self) -> None:
        """There is a new connection: the kept sound is sent to it from the start."""
        self._sent = self._clock = 0
        self._marks.clear()

    def take(self) -> Samples | None:
        """The next samples to send; None when all are sent."""
        if self._sent == len(self._blocks):
            return None
        place, pcm = self._blocks[self._sent]
        if not self._marks or place - self._clock != self._marks[-1][1] - self._marks[-1][0]:
            self._marks.append((self._clock, place))
        self._sent += 1
        self._clock += len(pcm)
        return pcm

    def start(self, seconds: float) -> float:
        """The session's time of a start that is given in the connection's time."""
        return self._place(seconds, bisect_right(self._marks, (seconds * SAMPLE_RATE, self._end)))

    def end(self, seconds: float) -> float:
        """The session's time of an end, which is before any silence that was left out there."""
        return self._place(seconds, bisect_left(self._marks, (seconds * SAMPLE_RATE, -1)))

    def answer(self, seconds: float) -> None:
        """Drop the sound that a final covers, up to this time of the connection."""
        reached = round(self.end(seconds) * SAMPLE_RATE)
        while self._sent and self._blocks[0][0] < reached:
            place, pcm = self._blocks.popleft()
            rest = pcm[max(0, reached - place) :]
            self._unanswered -= len(pcm) - len(rest)
            if len(rest):
                self._blocks.appendleft((reached, rest))
                break
            self._sent -= 1
        while len(self._marks) > 1 and self._marks[1][0] <= seconds * SAMPLE_RATE:
            del self._marks[0]

    def _place(self, seconds: float, after: int) -> float:
        clock, place = self._marks[max(0, after - 1)] if self._marks else (0, 0)
        return seconds + (place - clock) / SAMPLE_RATE
