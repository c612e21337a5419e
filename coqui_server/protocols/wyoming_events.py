"""The events of Wyoming as bytes. No I/O.

Source: https://github.com/OHF-Voice/wyoming, README.md, "Format". An event is a line with a JSON
object (`type`, `data`?, `data_length`?, `payload_length`?), then perhaps more of `data` as JSON,
then perhaps a payload. The package `wyoming` reads without any bound, and takes bytes that are no
event for the end of the connection, so the daemon reads by itself.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from coqui_server.exceptions import BadRequest, TooLarge
from coqui_server.protocols.live_connection import LARGEST, parsed

LONGEST_HEADER = 64 * 1024
LARGEST_DATA = 2**20
"""Bytes. A request with as many names and terms as may be has a tenth of it."""

_SHORT = 256
"""Bytes of what is remembered."""


@dataclass(frozen=True)
class Event:
    """One event.

    Attributes:
        payload: sound, where the type has some.
    """

    type: str
    data: Mapping[str, Any] = field(default_factory=dict)
    payload: bytes = b""

    def __bytes__(self) -> bytes:
        data = json.dumps(self.data, ensure_ascii=False).encode() if self.data else b""
        header: dict[str, Any] = {"type": self.type}
        lengths = {"data_length": len(data), "payload_length": len(self.payload)}
        header |= {name: length for name, length in lengths.items() if length}
        return json.dumps(header).encode() + b"\n" + data + self.payload


class Reader:
    """Bytes to events. Holds one event at most, and what was pushed beyond it.

    Once it has refused something, nothing that follows can be read.
    """

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._searched = 0
        self._header: Mapping[str, Any] | None = None

    def push(self, data: bytes) -> None:
        """Take the next bytes; then call `next` until it gives None."""
        self._bytes += data

    def next(self) -> Event | None:
        """The next event; None if it is not complete.

        Raises:
            BadRequest: what came is no event.
            TooLarge: a part of it is longer than it may be.
        """
        if self._header is None and (line := self._line()) is not None:
            self._header = _object(line)
        if self._header is None:
            return None
        more = _length(self._header, "data_length", LARGEST_DATA)
        sound = _length(self._header, "payload_length", LARGEST)
        if len(self._bytes) < more + sound:
            return None
        event = _event(self._header, self._take(more), self._take(sound))
        self._header = None
        return event

    def _line(self) -> bytes | None:
        end = self._bytes.find(b"\n", self._searched)
        length = len(self._bytes) if end < 0 else end
        if length > LONGEST_HEADER:
            raise TooLarge(f"the line of an event may have {LONGEST_HEADER} bytes")
        self._searched = 0 if end >= 0 else length
        return None if end < 0 else self._take(end + 1)

    def _take(self, count: int) -> bytes:
        taken = bytes(self._bytes[:count])
        del self._bytes[:count]
        return taken


def _event(header: Mapping[str, Any], more: bytes, payload: bytes) -> Event:
    kind, data = header.get("type"), header.get("data") or {}
    if not isinstance(kind, str) or not isinstance(data, dict):
        raise BadRequest('an event has "type", a text, and perhaps "data", an object')
    return Event(kind, {**data, **_object(more)} if more else data, payload)


def _object(text: bytes) -> Mapping[str, Any]:
    return _remembered(text) if len(text) <= _SHORT else _parsed(text)


@lru_cache(maxsize=64)
def _remembered(text: bytes) -> Mapping[str, Any]:
    """As `_parsed`. The chunks of a stream differ in their payload alone."""
    return _parsed(text)


def _parsed(text: bytes) -> Mapping[str, Any]:
    try:
        return parsed(text.decode())
    except (BadRequest, UnicodeDecodeError) as wrong:
        raise BadRequest(
            "an event is a line with a JSON object, and its data is one too"
        ) from wrong


def _length(header: Mapping[str, Any], name: str, most: int) -> int:
    length = header.get(name) or 0
    if not isinstance(length, int) or isinstance(length, bool) or length < 0:
        raise BadRequest(f"{name} is a number of bytes")
    if length > most:
        raise TooLarge(f"{name} may be {most}")
    return length
