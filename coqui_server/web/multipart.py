"""The parts of a form as they arrive (RFC 7578), without a copy in memory or temporary files."""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from coqui_server.exceptions import BadRequest

_ESCAPED = {"%22": '"', "%0D": "\r", "%0A": "\n"}
"""Escapes of browsers for characters that would end a name (HTML, section 4.10.21.8)."""


@dataclass(frozen=True)
class Part:
    """A field of the form begins; `filename` is None for a field that is not a file."""

    name: str
    filename: str | None


Event = Part | bytes
"""A part begins, or some of its bytes."""


async def read(content_type: str, body: AsyncIterator[bytes]) -> AsyncGenerator[Event, None]:
    """The parts of a form, each followed by its bytes.

    Raises:
        BadRequest: it is not such a form, or it is cut off.
    """
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise BadRequest("send files as multipart/form-data")
    try:
        form = _Form(boundary)
        async for chunk in body:
            for event in form.push(chunk):
                yield event
    except FormParserError as wrong:
        raise BadRequest(f"not multipart/form-data: {wrong}") from wrong
    if not form.ended:
        raise BadRequest("the form is cut off")


class _Form:
    """python-multipart's parser, with its callbacks joined to events. It limits a part to 8 headers
    of 4 KB."""

    def __init__(self, boundary: bytes) -> None:
        self.ended = False
        self._events: list[Event] = []
        self._headers: dict[bytes, bytes] = {}
        self._field = self._value = b""
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._headers.clear,
                "on_header_field": self._on_field,
                "on_header_value": self._on_value,
                "on_header_end": self._on_header,
                "on_headers_finished": self._on_headers,
                "on_part_data": self._on_data,
                "on_end": self._on_end,
            },
        )

    def push(self, chunk: bytes) -> list[Event]:
        """The events that a chunk of the body completes."""
        self._parser.write(chunk)
        events, self._events = self._events, []
        return events

    def _on_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header(self) -> None:
        self._headers[self._field.lower()] = self._value
        self._field = self._value = b""

    def _on_headers(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name, filename = options.get(b"name", b""), options.get(b"filename")
        self._events.append(Part(_text(name), None if filename is None else _text(filename)))

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        self._events.append(data[start:end])

    def _on_end(self) -> None:
        self.ended = True


def _text(name: bytes) -> str:
    """Browsers write names in UTF-8."""
    text = name.decode("utf-8", "replace")
    for written, meant in _ESCAPED.items():
        text = text.replace(written, meant)
    return text
