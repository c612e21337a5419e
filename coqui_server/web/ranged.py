"""A file that is not on this machine, or a range of it (RFC 9110, section 14)."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from fastapi.responses import StreamingResponse
from starlette.status import (
    HTTP_200_OK,
    HTTP_206_PARTIAL_CONTENT,
    HTTP_416_RANGE_NOT_SATISFIABLE,
)

Read = Callable[[int, int], Awaitable[bytes]]

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")

_CHUNK = 2**20
"""Bytes that are read at once."""


def ranged(
    size: int, read: Read, range: str | None, headers: Mapping[str, str]
) -> StreamingResponse:
    """The response to a request for a file.

    Args:
        size: bytes of the file.
        read: gives the bytes from a place to before another one.
        range: the header of the request. What is not one range of bytes is passed over.
    """
    start, end = _asked(range, size) or (0, size)
    shown = {**headers, "Accept-Ranges": "bytes", "Content-Length": str(max(end - start, 0))}
    if start >= end:
        none = {"Content-Range": f"bytes */{size}", "Content-Length": "0"}
        nothing = _pieces(read, 0, 0)
        return StreamingResponse(nothing, HTTP_416_RANGE_NOT_SATISFIABLE, {**shown, **none})
    status = HTTP_200_OK
    if (start, end) != (0, size):
        status = HTTP_206_PARTIAL_CONTENT
        shown["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return StreamingResponse(_pieces(read, start, end), status, shown)


def _asked(header: str | None, size: int) -> tuple[int, int] | None:
    """The range that a header names: its start and what comes after its end."""
    asked = _RANGE.fullmatch(header or "")
    if asked is None or not any(asked.groups()):
        return None
    first, last = asked.groups()
    if not first:
        return max(size - int(last), 0), size
    return int(first), min(int(last) + 1, size) if last else size


async def _pieces(read: Read, start: int, end: int) -> AsyncIterator[bytes]:
    while start < end:
        piece = await read(start, min(start + _CHUNK, end))
        if not piece:
            return
        yield piece
        start += len(piece)
