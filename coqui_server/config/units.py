"""HOCON's durations and sizes (HOCON specification, "Units format") to seconds and bytes.

A value that is not a quantity is returned unchanged, so that validation refuses it.
"""

import re
from datetime import datetime, timedelta
from typing import Any

from pyhocon.period_parser import period_impl, period_type_map

_MOMENT = datetime(2000, 1, 1)

_NO_LIMIT = 2**63
"""Bytes. The older server wrote 2e25 for "no limit"; no real limit is this large."""

_QUANTITY = re.compile(r"\s*(-?\d+(?:\.\d*)?(?:e[+-]?\d+)?)\s*([a-z]*)\s*", re.IGNORECASE)

_SECONDS = {
    word: timedelta(**{unit: 1}).total_seconds()
    for unit, words in period_type_map.items()
    if unit in ("microseconds", "milliseconds", "seconds", "minutes", "hours", "days", "weeks")
    for word in words
}


def _sizes() -> dict[str, int]:
    sizes = dict.fromkeys(("", "b", "byte", "bytes"), 1)
    prefixes = ("kilo kibi", "mega mebi", "giga gibi", "tera tebi", "peta pebi", "exa exbi")
    for power, (ten, two) in enumerate(map(str.split, prefixes), 1):
        letter = ten[0]
        sizes |= dict.fromkeys((f"{letter}b", f"{ten}byte", f"{ten}bytes"), 1000**power)
        twos = (letter, f"{letter}i", f"{letter}ib", f"{two}byte", f"{two}bytes")
        sizes |= dict.fromkeys(twos, 1024**power)
    return sizes


_BYTES = _sizes()


def seconds(value: Any) -> Any:
    """ "300 ms", a bare number (milliseconds) or what pyhocon made of either, as seconds.

    pyhocon gives a timedelta, or dateutil's relativedelta where that happens to be installed; only
    then it also takes months and years, which we never do.
    """
    if isinstance(value, timedelta | period_impl):
        calendar = getattr(value, "months", 0) or getattr(value, "years", 0)
        return value if calendar else (_MOMENT + value - _MOMENT).total_seconds()
    return _scaled(value, _SECONDS, bare="ms")


def size(value: Any) -> Any:
    """ "2 GB", "64 MiB" or a bare number, as bytes; None for one so large that it is no limit."""
    scaled = _scaled(value, _BYTES, bare="")
    if not isinstance(scaled, float):
        return scaled
    return int(scaled) if scaled < _NO_LIMIT else None


def _scaled(value: Any, units: dict[str, Any], bare: str) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return value
    quantity = _QUANTITY.fullmatch(str(value))
    factor = units.get((quantity[2] or bare).lower()) if quantity else None
    return float(quantity[1]) * factor if quantity and factor is not None else value
