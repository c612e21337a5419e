"""What a reader of news gets."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Entry:
    """An event, as all processes get it.

    Attributes:
        id: its place in the stream, for `News.follow`.
        sender: the run of the process that told it.
        number: of the events of that sender, from 1.
    """

    id: str
    sender: str
    number: int
    event: dict[str, Any]


@dataclass(frozen=True)
class Gap:
    """Events that cannot be had any more; `count` is None if nobody knows how many."""

    count: int | None
