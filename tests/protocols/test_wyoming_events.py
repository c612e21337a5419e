"""The events of Wyoming: as its own package writes and reads them, and bytes that are none."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from wyoming import event as package

from coqui_server.exceptions import BadRequest, TooLarge
from coqui_server.protocols.live_connection import LARGEST
from coqui_server.protocols.wyoming_events import LARGEST_DATA, LONGEST_HEADER, Event, Reader

DATA = some.dictionaries(some.text(max_size=5), some.text(max_size=5) | some.integers())
EVENTS = some.builds(Event, some.text(max_size=5), DATA, some.binary(max_size=50))


def read(*pieces: bytes) -> list[Event]:
    """The events in bytes that come in these pieces."""
    reader, events = Reader(), []
    for piece in pieces:
        reader.push(piece)
        while event := reader.next():
            events.append(event)
    return events


async def written(event: Event) -> bytes:
    """An event as the package writes it."""
    reader = asyncio.StreamReader()

    class Writer:
        def write(self, data: bytes) -> None:
            reader.feed_data(data)

        def writelines(self, parts: Any) -> None:
            reader.feed_data(b"".join(parts))

        async def drain(self) -> None:
            pass

    await package.async_write_event(
        package.Event(event.type, dict(event.data), event.payload),
        Writer(),  # type: ignore[arg-type]
    )
    reader.feed_eof()
    return await reader.read()


@given(events=some.lists(EVENTS, max_size=4), cut=some.integers(0, 400))
@settings(max_examples=30, deadline=None)
async def test_the_package_writes_and_we_read(events: list[Event], cut: int) -> None:
    """Whatever the bytes are cut into."""
    data = b"".join([await written(event) for event in events])
    assert read(data[:cut], data[cut:]) == events


@given(events=some.lists(EVENTS, max_size=4))
@settings(max_examples=30, deadline=None)
async def test_we_write_and_the_package_reads(events: list[Event]) -> None:
    """All of it."""
    reader = asyncio.StreamReader()
    reader.feed_data(b"".join(map(bytes, events)))
    reader.feed_eof()
    for event in events:
        found = await package.async_read_event(reader)
        assert found
        assert (found.type, found.data) == (event.type, event.data)
        assert (found.payload or b"") == event.payload
    assert await package.async_read_event(reader) is None


def test_data_within_the_line() -> None:
    """As older clients have it; what follows the line counts before it."""
    line = b'{"type": "a", "data": {"b": 1, "c": 2}, "data_length": 8, "payload_length": null}\n'
    assert read(line + b'{"c": 3}') == [Event("a", {"b": 1, "c": 3})]


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (b"\n", "a JSON object"),
        (b"GET / HTTP/1.1\r\n", "a JSON object"),
        (b"\xff\n", "a JSON object"),
        (b"[1]\n", "a JSON object"),
        (b"[" * 50_000 + b"\n", "a JSON object"),
        (b'{"type": "\\ud800"}\n', "a JSON object"),
        (b'{"type": 5}\n', '"type"'),
        (b"{}\n", '"type"'),
        (b'{"type": "a", "data": [1]}\n', '"data"'),
        (b'{"type": "a", "data_length": 3}\n[1]', "a JSON object"),
        (b'{"type": "a", "data_length": -1}\n', "data_length is a number"),
        (b'{"type": "a", "data_length": 1.5}\n', "data_length is a number"),
        (b'{"type": "a", "payload_length": true}\n', "payload_length is a number"),
        (b'{"type": "a", "payload_length": "9"}\n', "payload_length is a number"),
    ],
)
def test_what_is_no_event(data: bytes, hint: str) -> None:
    """The message says what would be one."""
    with pytest.raises(BadRequest, match=hint):
        read(data)


@pytest.mark.parametrize(
    "data",
    [
        b" " * (LONGEST_HEADER + 1),
        b" " * (LONGEST_HEADER + 1) + b"\n",
        b'{"type": "a", "data_length": %d}\n' % (LARGEST_DATA + 1),
        b'{"type": "a", "payload_length": %d}\n' % (LARGEST + 1),
    ],
)
def test_what_is_too_large(data: bytes) -> None:
    """It is refused before it is there."""
    with pytest.raises(TooLarge):
        read(data)
