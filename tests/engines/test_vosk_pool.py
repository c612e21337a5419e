"""Vosk's recognizers are used again: which one is lent, and how many are kept."""

import pytest
import vosk

from coqui_server.engines.vosk_pool import RecognizerPool

pytestmark = pytest.mark.model

FREE = ((), 0)


class Clock:
    """A clock that the test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """At 0."""
    return Clock()


@pytest.fixture
def pool(vosk_model: vosk.Model, clock: Clock) -> RecognizerPool:
    """An empty pool."""
    return RecognizerPool(vosk_model, clock)


def test_the_last_one_is_lent_again(pool: RecognizerPool) -> None:
    """Its clock goes on from the sound it was fed."""
    first, second = pool.lend(FREE), pool.lend(FREE)
    assert first.native is not second.native
    second.fed = 8000
    pool.give_back(first)
    pool.give_back(second)
    lease = pool.lend(FREE)
    assert lease.native is second.native
    assert (lease.start, lease.fed) == (0.5, 0)
    assert pool.lend(FREE).native is first.native


def test_one_of_another_kind_is_not_lent(pool: RecognizerPool) -> None:
    """Phrases and the number of alternatives are fixed when it is made."""
    lease = pool.lend(FREE)
    pool.give_back(lease)
    assert pool.lend((("비",), 0)).native is not lease.native
    assert pool.lend(((), 3)).native is not lease.native
    assert pool.lend(FREE).native is lease.native


def test_eight_are_kept(pool: RecognizerPool) -> None:
    """The one that was given back first goes."""
    leases = [pool.lend(FREE) for _ in range(9)]
    for lease in leases:
        pool.give_back(lease)
    again = [pool.lend(FREE).native for _ in range(9)]
    assert again[:8] == [lease.native for lease in reversed(leases[1:])]
    assert again[8] not in [lease.native for lease in leases]


def test_what_is_old_is_given_up(pool: RecognizerPool, clock: Clock) -> None:
    """After half an hour of sound, or a minute without an utterance."""
    worn = pool.lend(FREE)
    worn.fed = 1800 * 16_000
    pool.give_back(worn)
    unused = pool.lend(FREE)
    assert unused.native is not worn.native
    pool.give_back(unused)
    clock.now = 60.1
    assert pool.lend(FREE).native is not unused.native
