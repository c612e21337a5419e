"""English: which words are numbers, dates, times, money and addresses, and how they are written.

Each module has the rules for one kind. A rule looks at a few tokens, and at what stands around
them; what no rule knows stays as it was said.
"""

from collections.abc import Sequence

from coqui_server.readable.english import (
    addresses,
    clock,
    dates,
    digits,
    letters,
    money,
    names,
    numbers,
    places,
)
from coqui_server.readable.tokens import Token, rewritten

_NUMBERS = (
    *dates.RULES,
    *money.RULES,
    *clock.RULES,
    *dates.YEARS,
    *places.RULES,
    *numbers.RULES,
)
"""In this order: "nineteen eighty four" is a year in a date before it is anything else."""


def written(tokens: Sequence[Token]) -> list[Token]:
    """The tokens with numbers and names as people write them."""
    if addresses.likely(tokens):
        tokens = rewritten(tokens, addresses.RULES)
    tokens = rewritten(tokens, digits.RULES)
    tokens = rewritten(numbers.found(tokens), _NUMBERS)
    tokens = rewritten(tokens, letters.RULES)
    return rewritten(tokens, names.RULES)
