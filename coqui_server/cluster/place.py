"""The place of an event in a stream: its id as two numbers."""

from dataclasses import dataclass

_LARGEST = 2**64 - 1
"""Of the two numbers of a stream's id."""


@dataclass(frozen=True, order=True)
class Place:
    """Where a reader is. `number` -1 is before the first event of a generation."""

    generation: int
    number: int

    @classmethod
    def parse(cls, id: str) -> "Place":
        """The place of an event.

        Raises:
            ValueError: it is not an id.
        """
        generation, dash, number = id.partition("-")
        if not (dash and generation.isdecimal() and number.isdecimal()):
            raise ValueError(id)
        return cls(int(generation), int(number))

    def __str__(self) -> str:
        """The id; before a first event, the largest one of the generation before."""
        if self.number >= 0:
            return f"{self.generation}-{self.number}"
        return f"{self.generation - 1}-{_LARGEST}" if self.generation else "0-0"


BEFORE_ALL = Place(0, -1)
"""Before the first event of an empty stream."""
