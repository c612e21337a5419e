"""A session that a service listens to, pauses and all, instead of the gate and the threads here."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from coqui_server.config.audio import Kind
from coqui_server.config.settings import Settings
from coqui_server.engines.base import DEFAULT_OPTIONS, Options, StreamingService, StreamResult
from coqui_server.exceptions import ServerFault, ServiceError
from coqui_server.media.samples import Samples
from coqui_server.transcription.events import Partial, UtteranceEnd
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.session import Session
from coqui_transcript.transcript import Transcript


class StreamedSession(Session):
    """A session whose whole sound goes to a service that finds the utterances itself."""

    def __init__(
        self,
        kind: Kind,
        engine: StreamingService,
        scheduler: Scheduler,
        settings: Settings,
        *,
        options: Options = DEFAULT_OPTIONS,
        interim: float | None = None,
        **others: Any,
    ) -> None:
        super().__init__(kind, engine, scheduler, settings, options=options, **others)
        self._service = engine
        self._options = options
        self._partials = interim is not None
        self._connection = AsyncExitStack()
        self._talking = False

    async def __aenter__(self) -> "StreamedSession":
        async with self._connection:
            await self._connect()
            await super().__aenter__()
            self._connection = self._connection.pop_all()
        return self

    async def __aexit__(self, *leaving: Any) -> None:
        try:
            await super().__aexit__(*leaving)
        finally:
            await self._connection.aclose()

    async def write(self, pcm: Samples) -> None:
        await self._take(pcm)
        await self._stream.send(pcm)

    async def skip(self, samples: int) -> None:
        await self._take(samples)
        await self._stream.skip(samples)

    async def settle(self) -> None:
        """The end of a connection is the one thing that is sure to be answered with all finals."""
        self._check()
        await self._hear_out()
        await self._connection.aclose()
        await self._connect()
        self._announcer = asyncio.create_task(self._announce())

    async def finish(self) -> Transcript:
        await self._hear_out()
        await self._end(None)
        return self.transcript

    async def _connect(self) -> None:
        connecting = self._service.connect(self._options)
        self._stream = await self._connection.enter_async_context(connecting)
        await self._stream.skip(self.samples)

    async def _hear_out(self) -> None:
        await self._stream.finish()
        assert self._announcer is not None
        await self._announcer
        if self._failure:
            raise self._failure
        await self._pause(self.duration)

    async def _announce(self) -> None:
        """Tell what is heard. After a failure, only take it, so that the stream can end."""
        try:
            async for result in self._stream:
                if self._failure is None:
                    await self._relay(result)
        except ServiceError as fault:
            self._failure = self._failure or fault

    async def _relay(self, result: StreamResult) -> None:
        try:
            segment = result.segment
            if segment.text and result.final:
                self._talking = True
                await self._say(segment)
            elif segment.text and self._partials:
                await self._tell(Partial(self.source, segment.text, segment.start))
            if result.pause:
                await self._pause(segment.end)
        except ServerFault as fault:
            self._failure = fault

    async def _pause(self, end: float) -> None:
        """The service may find the same pause in two ways; it is told once."""
        if self._talking:
            self._talking = False
            await self._tell(UtteranceEnd(self.source, end))
