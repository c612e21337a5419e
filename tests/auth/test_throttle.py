"""`coqui_server.auth.throttle`, with a clock in the test's hand."""

from coqui_server.auth.throttle import Throttle


class Clock:
    """Seconds, moved by the test."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_limit_and_its_window() -> None:
    """After the last try one waits until the window that began with the first is over."""
    clock = Clock()
    throttle = Throttle(3, 60.0, clock)
    assert [throttle.take("anna") for _ in range(3)] == [0, 0, 0]
    clock.now += 20
    assert throttle.take("anna") == 40
    assert throttle.take("ben") == 0
    clock.now += 39
    assert throttle.take("anna") == 1
    clock.now += 1
    assert throttle.take("anna") == 0


def test_refused_tries_do_not_lengthen_the_wait() -> None:
    """Who knocks all the time gets in as early as who waits."""
    clock = Clock()
    throttle = Throttle(1, 60.0, clock)
    throttle.take("anna")
    for _ in range(6):
        clock.now += 10
        last = throttle.take("anna")
    assert last == 0


def test_a_right_one_is_forgiven() -> None:
    """Who knew the password after all begins anew."""
    throttle = Throttle(2, 60.0, Clock())
    throttle.take("anna")
    throttle.take("anna")
    throttle.forgive("anna")
    assert throttle.take("anna") == 0


def test_memory_is_bounded() -> None:
    """Of many names those tried last are remembered."""
    throttle = Throttle(1, 60.0, Clock(), most_keys=10)
    for number in range(1000):
        throttle.take(str(number))
    assert len(throttle._counts) == 10
    assert throttle.take("999") > 0
    assert throttle.take("0") == 0
