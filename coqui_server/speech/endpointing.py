"""How long a live speaker's silence lasts before it ends the utterance. No clock, no I/O.

A fixed wait is too long after a finished sentence and too short in the middle of one. At each pause
the words so far are known before the wait is over, and with them how sure the recogniser is of the
end mark that it wrote. `docs/tuning.md` has what that gains, and what else was tried.
"""

SOON = 0.2
"""Seconds of silence that end a finished sentence."""

LATE = 0.8
"""Seconds of silence that end a sentence which is not finished."""

_SURE = 0.85
"""The least probability of an end mark that is believed: Moonshine writes one at most pauses."""


def wait(finished: float | None) -> float | None:
    """Seconds of silence after which an utterance is over; None: the usual ones.

    Args:
        finished: the probability of the end mark after the words so far, 0 where there is none;
            None for a recogniser that writes no end marks.
    """
    if finished is None:
        return None
    if finished == 0:
        return LATE
    return SOON if finished >= _SURE else None
