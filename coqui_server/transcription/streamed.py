"""Listening through a service that takes the whole sound and finds the utterances itself."""

import asyncio
from contextlib import AsyncExitStack

from coqui_server.engines.base import StreamingService, StreamResult
from coqui_server.exceptions import ServerFault, ServiceError
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_server.transcription.reporter import Reporter
from coqui_server.transcription.request import SessionRequest


class StreamedListening:
    """Sends all sound to a service and reports its results. Takes no time of our threads."""

    final_seconds = partial_seconds = 0.0
    utterances = ()

    def __init__(
        self, service: StreamingService, request: SessionRequest, reporter: Reporter
    ) -> None:
        self.failure: ServerFault | None = None
        self._service = service
        self._options = request.options
        self._partials = request.interim is not None
        self._reporter = reporter
        self._connection = AsyncExitStack()
        self._reporting: asyncio.Task[None] | None = None
        self._samples = 0
        self._talking = False

    async def start(self) -> None:
        connecting = self._service.connect(self._options)
        self._stream = await self._connection.enter_async_context(connecting)
        await self._stream.skip(self._samples)
        self._reporting = asyncio.create_task(self._report_results())

    async def write(self, pcm: Samples) -> None:
        self._samples += len(pcm)
        await self._stream.send(pcm)

    async def skip(self, samples: int) -> None:
        self._samples += samples
        await self._stream.skip(samples)

    async def catch_up(self) -> None:
        """A service answers when it likes."""

    async def settle(self) -> None:
        # Only the end of a connection is sure to bring all finals.
        await self._receive_rest()
        await self._connection.aclose()
        if self.failure is None:
            await self.start()

    async def finish(self) -> None:
        await self._receive_rest()
        await self.close()

    async def close(self) -> None:
        try:
            if self._reporting:
                self._reporting.cancel()
                await asyncio.gather(self._reporting, return_exceptions=True)
        finally:
            await self._connection.aclose()

    async def _receive_rest(self) -> None:
        await self._stream.finish()
        assert self._reporting is not None
        await self._reporting
        if self.failure is None:
            await self._report_pause(self._samples / SAMPLE_RATE)

    async def _report_results(self) -> None:
        """Report the results. After a failure, only read them, so that the stream can end."""
        try:
            async for result in self._stream:
                if self.failure is None:
                    await self._report(result)
        except ServiceError as fault:
            self.failure = self.failure or fault

    async def _report(self, result: StreamResult) -> None:
        segment = result.segment
        try:
            if segment.text and result.final:
                self._talking = True
                await self._reporter.final(segment)
            elif segment.text and self._partials:
                await self._reporter.partial(segment.text, segment.start)
            if result.pause:
                await self._report_pause(segment.end)
        except ServerFault as fault:
            self.failure = fault

    async def _report_pause(self, end: float) -> None:
        """The service may give one pause in two ways; it is reported once."""
        if self._talking:
            self._talking = False
            await self._reporter.utterance_end(end)
