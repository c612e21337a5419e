"""The body of a request as it comes, and the form in it, whose files may be of any size."""

import asyncio
import re
import unicodedata
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress

from fastapi import Request
from starlette.requests import ClientDisconnect

from coqui_server.exceptions import BadRequest, RequestError
from coqui_server.transcription.service import Service
from coqui_server.web import multipart

_LONGEST_NAME = 255

_TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Characters that change the direction of the text after them, and so hide the real ending of a
name (Unicode Technical Report 36, section 3.3)."""

_LINGER = 30.0
"""Seconds for which the rest of a refused body is read. A client that still sends when the
connection is closed gets a reset instead of the answer."""


@asynccontextmanager
async def form(
    request: Request, service: Service
) -> AsyncIterator[AsyncGenerator[multipart.Event, None]]:
    """The parts of a form, to be read in the block. A refusal in the block reads the rest first.

    Raises, when iterated:
        BadRequest: it is no form, it is cut off, or the sender went away.
        Idle, GoingAway: the daemon waits no longer, as `Service.patience` has it.
    """
    body = chunks(request, service)
    try:
        parts = multipart.read(request.headers.get("Content-Type", ""), body)
        async with aclosing(parts):
            yield parts
    except RequestError:
        await discard(body)
        raise


async def chunks(request: Request, service: Service) -> AsyncGenerator[bytes, None]:
    """The body, piece by piece.

    Raises:
        BadRequest: the sender went away.
        Idle, GoingAway: the daemon waits no longer, as `Service.patience` has it.
    """
    stream = request.stream()
    while (chunk := await _next(stream, service)) is not None:
        yield chunk


async def _next(stream: AsyncGenerator[bytes, None], service: Service) -> bytes | None:
    try:
        async with service.patience():
            return await anext(stream, None)
    except ClientDisconnect as gone:
        raise BadRequest("the sender went away") from gone


async def unread(request: Request) -> None:
    """Read a body of which nothing was read, because the request was refused before."""
    with suppress(ClientDisconnect):
        await discard(request.stream())


async def discard(body: AsyncGenerator[bytes, None]) -> None:
    """Read the rest of the body, if there is any."""
    with suppress(TimeoutError, RequestError):
        async with asyncio.timeout(_LINGER):
            async for _ in body:
                pass


def shown_name(name: str) -> str:
    """A file's name without folders, which some clients send, and without invisible characters. A
    long name keeps its end."""
    last = re.split(r"[/\\]", name)[-1]
    plain = (c for c in last if unicodedata.category(c) != "Cc" and c not in _TURNING)
    return "".join(plain).strip()[-_LONGEST_NAME:] or "file"
