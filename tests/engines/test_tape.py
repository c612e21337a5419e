"""The tape: what is sent again after a break, and whose time is whose."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coqui_server.engines.tape import Tape
from coqui_server.media.samples import Samples

SECOND = 16_000


def sound(value: int, seconds: float = 1.0) -> Samples:
    return np.full(round(seconds * SECOND), value, np.int16)


def sent(tape: Tape) -> list[int]:
    """The values of all that is to be sent now, without repeats."""
    values: list[int] = []
    while (pcm := tape.take()) is not None:
        values += sorted(set(pcm.tolist()))
    return values


def test_what_a_final_covers_is_not_sent_again() -> None:
    """After a break the rest goes to the new connection, whose clock begins there."""
    tape = Tape()
    for value in (1, 2, 3):
        tape.write(sound(value))
    assert sent(tape) == [1, 2, 3]
    tape.answer(1.5)
    assert tape.unanswered == 1.5
    tape.rewind()
    first, second = tape.take(), tape.take()
    assert first is not None
    assert second is not None
    assert (len(first), set(first.tolist())) == (SECOND // 2, {2})
    assert (len(second), tape.take()) == (SECOND, None)
    assert (tape.start(0.0), tape.end(1.5)) == (1.5, 3.0)


def test_what_was_not_sent_yet_is_not_answered() -> None:
    """A final cannot reach beyond what the service has, whatever it says."""
    tape = Tape()
    tape.write(sound(1))
    assert sent(tape) == [1]
    tape.write(sound(2))
    tape.answer(100.0)
    assert (tape.unanswered, sent(tape)) == (1.0, [2])


def test_silence_that_is_left_out_counts() -> None:
    """The service hears the words as neighbours; here they keep their distance."""
    tape = Tape()
    tape.write(sound(1))
    tape.skip(30 * SECOND)
    tape.write(sound(2))
    assert sent(tape) == [1, 2]
    assert (tape.start(0.5), tape.end(1.0)) == (0.5, 1.0)
    assert (tape.start(1.0), tape.end(1.5)) == (31.0, 31.5)
    tape.answer(1.0)
    tape.rewind()
    assert sent(tape) == [2]
    assert tape.start(0.0) == 31.0


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(1, 40)),
        st.tuples(st.just("skip"), st.integers(1, 40)),
        st.tuples(st.just("send"), st.integers(1, 5)),
        st.tuples(st.just("answer"), st.integers(0, 60)),
        st.tuples(st.just("break"), st.just(0)),
    ),
    max_size=60,
)


@given(STEPS)
def test_nothing_is_lost_and_nothing_doubled(steps: list[tuple[str, int]]) -> None:
    """Whatever breaks when, what finals covered and what is still kept are the whole session, and
    the place of each sample is where it was written."""
    tape, heard = Tape(), np.zeros(60 * 40, np.int16)
    truth = np.zeros(60 * 40, np.int16)
    end = written = 0
    line: list[int] = []
    covered = 0
    for step, number in steps:
        match step:
            case "write":
                written += 1
                tape.write(np.full(number, written, np.int16))
                truth[end : end + number] = written
                end += number
            case "skip":
                tape.skip(number)
                end += number
            case "send":
                for _ in range(number):
                    if (pcm := tape.take()) is not None:
                        line += pcm.tolist()
            case "answer":
                for at in range(covered, min(covered + number, len(line))):
                    place = round(tape.start(at / SECOND) * SECOND)
                    assert heard[place] == 0
                    heard[place] = line[at]
                covered = min(covered + number, len(line))
                tape.answer(covered / SECOND)
            case "break":
                tape.rewind()
                line, covered = [], 0
    tape.rewind()
    at = 0
    while (pcm := tape.take()) is not None:
        for value in pcm.tolist():
            heard[round(tape.start(at / SECOND) * SECOND)] = value
            at += 1
    assert np.array_equal(heard, truth)
    assert tape.unanswered == pytest.approx(at / SECOND)
