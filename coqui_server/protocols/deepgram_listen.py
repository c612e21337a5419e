"""`/v1/listen` as a WebSocket: Deepgram's live protocol, for the clients made for it.

Source: https://github.com/deepgram/deepgram-api-specs, asyncapi.yml, channel `/v1/listen`, and the
client libraries, which decide where both disagree. The address has all options
(`deepgram_query`). Client: binary sound, `{"type": "KeepAlive"}`, `{"type": "Finalize"}`, and
`{"type": "CloseStream"}` or an empty binary message. Server:

    {"type": "Results", "channel_index": [0, 1], "start", "duration", "is_final", "speech_final",
     "from_finalize", "channel": {"alternatives": [{"transcript", "confidence", "words"}]},
     "metadata": {"request_id", "model_info", "model_uuid"}}
    {"type": "SpeechStarted", "channel": [0, 1], "timestamp"}           with vad_events
    {"type": "UtteranceEnd", "channel": [0, 1], "last_word_end"}        with utterance_end_ms
    {"type": "Metadata", "request_id", "sha256", "created", "duration", "channels", ...}  at the end

Each utterance of ours is one final result. With `multichannel` each channel is a session of its
own. Refusals are close codes and reasons, as Deepgram has them.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager

from websockets.asyncio.server import ServerConnection
from websockets.frames import CloseCode

from coqui_server.exceptions import Idle, NotAudio, RequestError, ServerFault
from coqui_server.media.mixdown import Mixdown
from coqui_server.media.raw import Interleaved, RawFormat
from coqui_server.media.samples import Frames, Samples
from coqui_server.principal import Principal
from coqui_server.protocols import deepgram_shapes as shapes
from coqui_server.protocols.deepgram_channel import Channel
from coqui_server.protocols.deepgram_query import Query
from coqui_server.protocols.intake import Intake, finishing
from coqui_server.protocols.live_connection import LiveConnection, parsed
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.service import Service

PATIENCE = 10.0
"""Seconds without a message after which Deepgram closes; KeepAlive is there to prevent that."""


async def serve(connection: ServerConnection, principal: Principal, service: Service) -> None:
    """Serve one stream, whose query has been checked."""
    assert connection.request is not None
    query = Query(connection.request.path.partition("?")[2])
    async with LiveConnection(connection, service) as client:
        try:
            await _Stream(client, query, service, str(connection.id)).run(principal)
            await client.close()
        except RequestError as refusal:
            await client.close(*_close(refusal))


class _Stream:
    """One connection: its sound, and the channels that are heard."""

    def __init__(self, client: LiveConnection, query: Query, service: Service, id: str) -> None:
        self._client = client
        self._query = query
        self._service = service
        self._id = id
        self._engine = query.engine(service.engines)
        self._channels: list[Channel] = []
        self._sha256 = hashlib.sha256()
        self._empty = True

    async def run(self, principal: Principal) -> None:
        """Listen until the client closes the stream, then tell what it was."""
        async with AsyncExitStack() as stack:
            for number in range(self._query.streams):
                await stack.enter_async_context(self._opened(number, principal))
            if (raw := self._query.raw) is None:
                await self._hear_container()
            else:
                await self._hear_raw(raw)
        duration = self._channels[0].session.duration
        told = shapes.metadata(
            self._id, self._engine, self._sha256.hexdigest(), duration, len(self._channels)
        )
        await self._client.send({"type": "Metadata", **told})

    @asynccontextmanager
    async def _opened(self, number: int, principal: Principal) -> AsyncIterator[None]:
        channel = Channel(self._client, self._query, number, self._id)
        several = self._query.streams > 1
        pace = self._service.settings.partials.pace
        request = SessionRequest(
            "live",
            engine=self._engine,
            options=self._query.options,
            speakers=self._query.speakers,
            format=self._query.format,
            silence=self._query.silence,
            interim=pace if self._query.flag("interim_results") else None,
            label=f"channel {number + 1}" if several else None,
            owner=principal.user,
            sinks=(channel,),
        )
        async with self._service.session(request) as session:
            channel.session = session
            self._channels.append(channel)
            yield

    async def _hear_raw(self, form: RawFormat) -> None:
        streams = len(self._channels)
        apart = Interleaved(form) if streams > 1 else None
        together = 1 if apart else form.channels
        intakes = [Intake(form.encoding, form.rate, together) for _ in self._channels]
        async with AsyncExitStack() as stack:
            for channel, intake in zip(self._channels, intakes, strict=True):
                await stack.enter_async_context(finishing(channel.session, intake))
            async for data in self._sound():
                parts = apart.push(data) if apart else [data]
                for channel, intake, part in zip(self._channels, intakes, parts, strict=True):
                    await intake.write(channel.session, part)
                    await channel.look()

    async def _hear_container(self) -> None:
        mixdown = Mixdown()
        async with AsyncExitStack() as stack:
            for channel in self._channels:
                await stack.enter_async_context(finishing(channel.session, None))
            reading = self._service.transcoder.transcode(
                self._sound(), warn=self._channels[0].session.warn
            )
            try:
                async with aclosing(reading) as sound:
                    async for frames in sound:
                        await self._write(self._apart(frames, mixdown))
            except NotAudio:
                if not self._empty:
                    raise

    def _apart(self, frames: Frames, mixdown: Mixdown) -> Sequence[Samples]:
        """The samples of each channel that is heard. Those that the file lacks are silent."""
        if len(self._channels) == 1:
            return [mixdown.push(frames)]
        there = frames.shape[1]
        silent = frames[:, 0] * 0
        wanted = range(len(self._channels))
        return [frames[:, number] if number < there else silent for number in wanted]

    async def _write(self, samples: Sequence[Samples]) -> None:
        for channel, pcm in zip(self._channels, samples, strict=True):
            await channel.session.write(pcm)
            await channel.look()

    async def _sound(self) -> AsyncIterator[bytes]:
        """The client's sound until it closes the stream; its commands are carried out."""
        while True:
            message = await self._receive()
            if isinstance(message, str):
                if not await self._obey(message):
                    return
            elif message:
                self._empty = False
                self._sha256.update(message)
                yield message
            else:
                return

    async def _receive(self) -> str | bytes:
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._client.receive()
        except TimeoutError as silence:
            raise Idle("neither sound nor a message came within 10 seconds") from silence

    async def _obey(self, text: str) -> bool:
        """Carry out a command; False at the end of the stream. Unknown ones are ignored."""
        command = parsed(text)
        match command.get("type"):
            case "CloseStream":
                return False
            case "Finalize":
                wanted = command.get("channel")
                for number, channel in enumerate(self._channels):
                    if wanted in (None, number):
                        await channel.finalize()
        return True


def _close(refusal: RequestError) -> tuple[int, str]:
    """The close code and the reason of a refusal.

    https://developers.deepgram.com/docs/stt-troubleshooting-websocket-data-and-net-errors
    """
    match refusal:
        case NotAudio():
            return CloseCode.POLICY_VIOLATION, f"DATA-0000: {refusal}"
        case Idle():
            return CloseCode.INTERNAL_ERROR, f"NET-0001: {refusal}"
        case ServerFault():
            return CloseCode.INTERNAL_ERROR, f"NET-0000: {refusal}"
    return refusal.close_code, str(refusal)
