"""`coqui_server.rtp.drops`: all that was dropped is counted, and little of it is told."""

import pytest

from coqui_server.rtp.drops import PERIOD, Drops

HERE, THERE = ("192.0.2.1", 4000), ("192.0.2.2", 4002)


def test_the_first_is_told_at_once_and_the_rest_as_a_sum(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A flood is two lines in a period, the first of which has the sender."""
    drops = Drops()
    for n in range(5000):
        drops.count("malformed", HERE, n / 1000)
        drops.summarise(n / 1000)
    assert caplog.messages == ["rtp: dropped a datagram from 192.0.2.1:4000, malformed"]
    drops.summarise(PERIOD)
    assert caplog.messages[1:] == ["rtp: dropped 4999 more datagrams, malformed"]
    assert drops.total == {"malformed": 5000}


def test_each_reason_has_its_own_period(caplog: pytest.LogCaptureFixture) -> None:
    """One flood does not hide the first datagram of another kind."""
    drops = Drops()
    drops.count("malformed", HERE, 0.0)
    drops.count("malformed", HERE, 1.0)
    drops.count("not allowed", THERE, 5.0)
    drops.count("not allowed", THERE, 5.0)
    assert caplog.messages[1:] == ["rtp: dropped a datagram from 192.0.2.2:4002, not allowed"]
    drops.summarise(PERIOD)
    assert caplog.messages[2:] == ["rtp: dropped 1 more datagrams, malformed"]
    drops.summarise(5.0 + PERIOD)
    assert caplog.messages[3:] == ["rtp: dropped 1 more datagrams, not allowed"]


def test_one_alone_has_no_sum(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing more, nothing told; and the next is told at once again."""
    drops = Drops()
    drops.count("malformed", HERE, 0.0)
    for time in (PERIOD, 2 * PERIOD, 3 * PERIOD):
        drops.summarise(time)
    assert len(caplog.messages) == 1
    drops.count("malformed", THERE, 100.0)
    assert caplog.messages[1:] == ["rtp: dropped a datagram from 192.0.2.2:4002, malformed"]
    drops.count("malformed", THERE, 100.0)
    drops.summarise(100.0 + PERIOD)
    assert caplog.messages[2:] == ["rtp: dropped 1 more datagrams, malformed"]
    assert drops.total == {"malformed": 3}
