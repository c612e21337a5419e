"""Streams that wait for decoder threads: a simulation of one server.

Each stream is silent and speaks in turn. When it pauses, its utterance goes to the first free
thread. The text is a final once that is done and the gate believes that the utterance is over. What
else the server does, on its event loop and in other processes, makes its threads slower.
"""

import heapq
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

_UTTERANCE, _SPREAD, _LONGEST = 2.8, 0.6, 18.0
"""Seconds of an utterance: the median and the spread of its logarithm, as the gate cuts the 30
recordings, and `vad.max_utterance`."""

_MEAN = _UTTERANCE * math.exp(_SPREAD**2 / 2)

_ALONE, _ALONE_95 = 0.664, 0.761
"""Seconds from the last sound to the final of a stream alone: median and 95th percentile, as
`benchmarks.latency` measured them."""

_PAUSED = 0.2
"""Seconds after the last sound at which an utterance is decoded, in case that it is over."""


@dataclass(frozen=True)
class Costs:
    """Seconds of processor time, as `benchmarks.cores` measures them.

    Attributes:
        loop: of the event loop, for each second that a stream is open.
        decoders: of the threads, for each second of speech.
        others: of other processes, for each second of speech.
    """

    loop: float
    decoders: float
    others: float

    def each(self, talk: float) -> float:
        """What one stream needs in all; it speaks for this share of the time."""
        return self.loop + talk * (self.decoders + self.others)


def finals_per_second(streams: int, talk: float) -> float:
    """How many utterances end."""
    return streams * talk / _MEAN


def delays(streams: int, cores: int, talk: float, costs: Costs, minutes: float) -> list[float]:
    """How long after the last sound each final came, in seconds; the same in every run."""
    random_ = random.Random(1)
    free = [0.0] * cores
    speed = 1 - streams * (costs.loop + talk * costs.others) / cores
    if speed <= 0:
        return [math.inf]
    told = []
    jobs = (utterances(random_, talk, minutes * 60) for _ in range(streams))
    for ready, length in sorted(job for stream in jobs for job in stream):
        done = max(heapq.heappop(free), ready) + length * costs.decoders / speed
        heapq.heappush(free, done)
        alone = random_.lognormvariate(
            math.log(_ALONE), math.log(_ALONE_95 / _ALONE) / _NINETY_FIFTH
        )
        told.append(max(alone, _PAUSED + done - ready))
    return told


_NINETY_FIFTH = 1.645
"""Standard deviations to the 95th percentile."""


def utterances(
    random_: random.Random, talk: float, seconds: float
) -> Iterator[tuple[float, float]]:
    """When a stream's utterances can be decoded, and how long they are."""
    pause = _MEAN * (1 - talk) / talk
    at = random_.uniform(0, _MEAN + pause)
    while at < seconds:
        length = min(random_.lognormvariate(math.log(_UTTERANCE), _SPREAD), _LONGEST)
        at += random_.expovariate(1 / pause) + length
        yield at + _PAUSED, length
