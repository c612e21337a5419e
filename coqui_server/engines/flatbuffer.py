"""Reads a FlatBuffers file that is not trusted: every offset is checked before it is followed.

The format is https://flatbuffers.dev/internals; FlatBuffers' own Python reader trusts its input.
"""

import struct
from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Mapping[str, str]]
"""Tables by name: their fields, in the order of their slots, with the type of each. A type is a
letter of `struct`, "string", or a table's name; in brackets, a vector of these."""

Table = dict[str, Any]


class Reader:
    """Decodes tables of `schema` from `content`. Fields that are not there have no key.

    What is decoded is bounded by the file's size, however its offsets are laid.
    """

    def __init__(self, content: bytes, schema: Schema) -> None:
        self._content = memoryview(content)
        self._schema = schema
        self._tables: dict[tuple[str, int], Table] = {}
        self._budget = len(content)

    def root(self, kind: str) -> Table:
        """The table that the file is.

        Raises:
            ValueError: something lies outside the file.
        """
        return self._table(kind, self._number("I", 0))

    def _bytes(self, place: int, size: int) -> memoryview:
        if not 0 <= place <= len(self._content) - size:
            raise ValueError("it is cut off, or its offsets are wrong")
        return self._content[place : place + size]

    def _number(self, code: str, place: int) -> Any:
        return struct.unpack("<" + code, self._bytes(place, struct.calcsize("<" + code)))[0]

    def _target(self, place: int) -> int:
        return place + int(self._number("I", place))

    def _table(self, kind: str, place: int) -> Table:
        if (kind, place) not in self._tables:
            fields = self._schema[kind]
            slots = self._slots(place)
            self._tables[kind, place] = {
                name: self._field(fields[name], place + slot)
                for name, slot in zip(fields, slots, strict=False)
                if slot
            }
        return self._tables[kind, place]

    def _slots(self, place: int) -> list[int]:
        """Where each field is, from the table's place; 0 if it is not there."""
        listing = place - int(self._number("i", place))
        size, extent = self._number("H", listing), self._number("H", listing + 2)
        self._bytes(place, extent)
        slots = list(struct.unpack(f"<{size // 2}H", self._bytes(listing, size // 2 * 2)))[2:]
        if any(0 < slot < 4 or slot >= extent for slot in slots):
            raise ValueError("a field lies outside its table")
        return slots

    def _field(self, kind: str, place: int) -> Any:
        if kind.startswith("["):
            return self._vector(kind[1:-1], self._target(place))
        if kind == "string":
            return bytes(self._vector("B", self._target(place))).decode("utf-8")
        if kind in self._schema:
            return self._table(kind, self._target(place))
        return self._number(kind, place)

    def _vector(self, kind: str, place: int) -> Any:
        count = self._number("I", place)
        place += 4
        if kind == "B":
            return self._bytes(place, count)
        size = 4 if kind in self._schema else struct.calcsize("<" + kind)
        self._bytes(place, count * size)
        self._budget -= count
        if self._budget < 0:
            raise ValueError("its parts overlap")
        if kind in self._schema:
            places = range(place, place + 4 * count, 4)
            return [self._table(kind, self._target(entry)) for entry in places]
        return list(struct.unpack(f"<{count}{kind}", self._bytes(place, count * size)))
