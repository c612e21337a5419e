"""The body of a request, as it comes."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

from fastapi import Request
from starlette.requests import ClientDisconnect

from coqui_server.exceptions import BadRequest, RequestError
from coqui_server.transcription.service import Service

_LINGER = 30.0
"""Seconds for which the rest of a refused body is read. A client that still sends when the
connection is closed gets a reset instead of the answer."""


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


async def discard(body: AsyncGenerator[bytes, None]) -> None:
    """Read the rest of the body, if there is any."""
    with suppress(TimeoutError, RequestError):
        async with asyncio.timeout(_LINGER):
            async for _ in body:
                pass
