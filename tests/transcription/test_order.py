"""Utterances of several legs in the order of speech."""

from hypothesis import given
from hypothesis import strategies as some

from coqui_server.transcription.order import Order
from coqui_server.transcription.reporter import Reported


def said(start: float) -> Reported:
    return Reported(start, start + 1)


def test_what_may_have_something_before_it_is_held() -> None:
    """Until no leg has an earlier one left."""
    order = Order()
    order.add(said(5.0))
    assert list(order.take(3.0)) == []
    order.add(said(3.0))
    assert list(order.take(3.0)) == [said(3.0)]
    assert list(order.take(5.0)) == [said(5.0)]
    assert list(order.take(100.0)) == []


@given(some.lists(some.lists(some.floats(0, 100)).map(sorted), min_size=1, max_size=8), some.data())
def test_any_order_of_decoding(legs: list[list[float]], data: some.DataObject) -> None:
    """Whichever leg is decoded first, all come once, in order."""
    order, told = Order(), list[float]()
    waiting = [list(leg) for leg in legs]
    while any(waiting):
        leg = data.draw(some.sampled_from([leg for leg in waiting if leg]))
        order.add(said(leg.pop(0)))
        earliest = min((leg[0] for leg in waiting if leg), default=100.0)
        told += [utterance.start for utterance in order.take(earliest)]
    assert told == sorted(start for leg in legs for start in leg)
