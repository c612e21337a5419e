"""The finals of a file while it is transcribed, for answers that are told bit by bit."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from coqui_server.transcription.events import Event, Final, Sink
from coqui_server.web.api.transcribed import Transcribed
from coqui_transcript.transcript import Segment


async def finals(
    work: Callable[[Sink], Coroutine[Any, Any, Transcribed]],
) -> AsyncGenerator[Segment | Transcribed, None]:
    """The segments of a transcription as they come, and at the end the transcript. Closing it
    cancels the work. Raises what the work raises."""
    # No bound of its own: the session holds the same segments until its end.
    told: asyncio.Queue[Segment | None] = asyncio.Queue()

    async def take(event: Event) -> None:
        if isinstance(event, Final):
            told.put_nowait(event.segment)

    working = asyncio.create_task(work(take))
    working.add_done_callback(lambda _: told.put_nowait(None))
    try:
        while (segment := await told.get()) is not None:
            yield segment
        yield await working
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


class EventStream(StreamingResponse):
    """Server-sent events, each with a JSON object as data (HTML standard, section 9.2).

    Args:
        stack: what the events need; closed when all are sent or the client is gone.
    """

    def __init__(self, events: AsyncIterator[Mapping[str, Any]], stack: AsyncExitStack) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(_written(events), media_type="text/event-stream", headers=headers)
        self._stack = stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._stack:
            await super().__call__(scope, receive, send)


async def _written(events: AsyncIterator[Mapping[str, Any]]) -> AsyncIterator[str]:
    async for event in events:
        yield f"data: {json.dumps(event, ensure_ascii=False)}\n\n"
    # Not JSON: the mark after which OpenAI's clients stop reading.
    yield "data: [DONE]\n\n"
