"""How long to wait before something that failed is tried again."""

import random

_LONGEST = 30.0
"""Seconds between two attempts, unless the other side asks for more."""


def backoff(attempts: int, first: float, most: float = _LONGEST) -> float:
    """Seconds before the next attempt: at random between half and all of `first` after the first
    one, then twice that after each, up to `most`."""
    # Past so many doublings it is the most in any case, and the power would not be a float.
    longest = min(first * 2.0 ** min(attempts - 1, 30), most)
    return random.uniform(longest / 2, longest)  # noqa: S311, jitter is no secret
