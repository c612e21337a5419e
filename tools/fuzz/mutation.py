"""Good input with something wrong in it."""

import json
import random
from typing import Any

_DEEP = 5_000

ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    0.5,
    1e308,
    float("nan"),
    2**70,
    "",
    "\0",
    "\ud800",
    "../../etc/passwd",
    "' OR 1=1 --",
    "x" * 5_000,
    [],
    [[]],
    {},
    {"": None},
)
"""Values that few expect."""


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The same with bits turned, bytes overwritten, cut off or added."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(changed) + 1)
        match chance.randrange(4):
            case 0 if place < len(changed):
                changed[place] ^= 1 << chance.randrange(8)
            case 1 if place < len(changed):
                # The head is where most is decided.
                changed[chance.randrange(min(16, len(changed)))] = chance.choice((0, 1, 127, 255))
            case 2:
                del changed[place:]
            case _:
                changed[place:place] = chance.randbytes(chance.randrange(64))
    return bytes(changed)


def mutated_object(values: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """The same with a value replaced, a key missing or a key too many."""
    changed = dict(values)
    key = chance.choice([*changed, "unknown"])
    match chance.randrange(4):
        case 0:
            changed.pop(key, None)
        case 1 if isinstance(changed.get(key), dict):
            changed[key] = mutated_object(changed[key], chance)
        case _:
            changed[key] = chance.choice(ODD)
    return changed


def text_of(values: dict[str, Any], chance: random.Random) -> bytes:
    """A message: the values as JSON, often broken in their structure or in their bytes."""
    match chance.randrange(8):
        case 0 | 1:
            return json.dumps(values).encode()
        case 2 | 3 | 4:
            return json.dumps(mutated_object(values, chance)).encode()
        case 5 | 6:
            return mutated(json.dumps(values).encode(), chance)
        case _:
            deep = b"[" * chance.randrange(_DEEP)
            return chance.choice((deep, b'{"a":' * _DEEP, chance.randbytes(chance.randrange(100))))
