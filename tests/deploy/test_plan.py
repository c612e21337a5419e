"""The plan: its simulation says what was measured, and its limits are the server's."""

import math

import numpy as np
import pytest

from benchmarks.plan import COSTS, checks, most, tiers
from benchmarks.queueing import Costs, delays, finals_per_second

MOONSHINE = COSTS["moonshine"]


def test_the_simulation_says_what_was_measured() -> None:
    """Within 15 %, which is how much measurements differ from one another."""
    found = list(checks())
    assert len(found) == 7
    for name, measured, simulated in found:
        assert simulated == pytest.approx(measured, rel=0.15), name


def test_finals_come_late_when_the_threads_are_full() -> None:
    """The queue grows without end where more is spoken than can be decoded, and not before."""
    free, nearly, over = (
        np.percentile(delays(n, 1, 0.45, MOONSHINE, 10), 95) for n in (10, 37, 60)
    )
    assert free < 0.8 < nearly < 1.5 < 10 < over
    assert delays(10_000, 1, 0.45, MOONSHINE, 1) == [math.inf]


def test_what_is_full_first() -> None:
    """Processors on a small machine; on a large one the event loop, of which there is one."""
    assert most(MOONSHINE, 2, 0.45) == 2 * most(MOONSHINE, 1, 0.45)
    assert most(MOONSHINE, 8, 0.45) == most(MOONSHINE, 64, 0.45) == int(0.8 / MOONSHINE.loop)
    deep = Costs(loop=0.001, decoders=1.0, others=0.0)
    assert most(deep, 4, 1.0) == 3


def test_a_plan() -> None:
    """It grows with the calls, one server in each cell may fail, and few calls need few cores."""
    few, many = tiers(10, MOONSHINE, 4, 0.45), tiers(10_000, MOONSHINE, 4, 0.45)
    assert (few.servers, few.cores, few.cells) == (1, 1, 1)
    assert many.cells == 5
    assert many.cores == 4 * many.servers
    assert (many.servers - many.cells) * most(MOONSHINE, 4, 0.45) * 0.75 >= 20_000
    assert many.finals_per_second == pytest.approx(finals_per_second(20_000, 0.45))
