"""Deepgram's live connection: one for each session, opened again when it breaks.

Sound is kept until a final covers it. After a break the kept sound is sent again, so that no word
is lost; sound with a final is not, so that no word comes twice.
https://developers.deepgram.com/reference/speech-to-text/listen-streaming
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

from deepgram import AsyncDeepgramClient
from deepgram.core.api_error import ApiError
from deepgram.listen.v1.socket_client import AsyncV1SocketClient
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage
from websockets.frames import CloseCode

from coqui_server.backoff import backoff
from coqui_server.config.engines import DeepgramSettings
from coqui_server.engines.base import StreamResult
from coqui_server.engines.deepgram_reply import malformed, plain, reading
from coqui_server.engines.remote import FIRST_WAIT, Pause, shortened, unanswered
from coqui_server.engines.tape import Tape
from coqui_server.exceptions import ServiceError
from coqui_server.media.samples import SAMPLE_RATE, Samples
from coqui_transcript.transcript import Segment

_KEEP_ALIVE = 4.0
"""Seconds without sound after which a keep-alive is sent. The service closes after ten, and
recommends three to five."""

_BACKLOG = 64
"""Results that may wait to be read; beyond this the service has to wait."""

_log = logging.getLogger(__name__)


class LiveStream:
    """One session's stream. It is connected in the background while the block is open."""

    def __init__(
        self,
        client: AsyncDeepgramClient,
        settings: DeepgramSettings,
        refused: Callable[[ApiError], ServiceError],
        pause: Pause,
    ) -> None:
        self._client = client
        self._settings = settings
        self._refused = refused
        self._pause = pause
        self._tape = Tape()
        self._more = asyncio.Event()
        self._answered = asyncio.Event()
        self._results: asyncio.Queue[StreamResult | None] = asyncio.Queue(_BACKLOG)
        self._breaks = 0
        self._finished = self._closing = False
        self._failure: ServiceError | None = None

    async def __aenter__(self) -> "LiveStream":
        self._running = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)

    async def send(self, pcm: Samples) -> None:
        limit, deadline = self._settings.unanswered, self._settings.deadline
        try:
            async with asyncio.timeout(deadline):
                while self._tape.unanswered >= limit and not self._failure:
                    self._answered.clear()
                    await self._answered.wait()
        except TimeoutError as late:
            problem = f"no answer to {limit:g} s of sound within {deadline:g} s"
            raise ServiceError("deepgram", problem) from late
        self._check()
        self._tape.write(pcm)
        self._more.set()

    async def skip(self, samples: int) -> None:
        self._check()
        self._tape.skip(samples)

    async def finish(self) -> None:
        self._finished = True
        self._more.set()
        deadline = self._settings.deadline
        await asyncio.wait({self._running}, timeout=deadline)
        if not self._running.done():
            self._running.cancel()
            self._failure = ServiceError("deepgram", f"no end within {deadline:g} s")
            await self._results.put(None)

    async def __aiter__(self) -> AsyncIterator[StreamResult]:
        while (heard := await self._results.get()) is not None:
            yield heard
        self._check()

    def _check(self) -> None:
        if self._failure:
            raise self._failure

    async def _run(self) -> None:
        """Stay connected until all sound is answered, or it fails."""
        try:
            while not await self._connected():
                await self._pause(backoff(self._breaks, FIRST_WAIT))
        except ServiceError as failure:
            self._failure = failure
            self._answered.set()
        await self._results.put(None)

    async def _connected(self) -> bool:
        """Run one connection; True if no other is needed after it."""
        try:
            async with self._open() as socket:
                self._tape.rewind()
                self._closing = False
                await self._converse(socket)
                return True
        except ApiError as error:
            failure = self._refused(error)
        except ConnectionClosed as closed:
            failure = _broken(closed)
        except (OSError, TimeoutError, InvalidHandshake, InvalidMessage) as error:
            # Opening a connection costs nothing.
            failure = unanswered("deepgram", error, retryable=True)
        self._breaks += 1
        if not failure.retryable or self._breaks > self._settings.retries:
            raise failure
        _log.warning("%s; opening another connection", failure)
        return False

    def _open(self) -> Any:
        return self._client.listen.v1.connect(
            model=self._settings.model,
            language=self._settings.language,
            encoding="linear16",
            sample_rate=SAMPLE_RATE,
            channels=1,
            smart_format="true",
            interim_results="true",
            endpointing=round(1000 * self._settings.endpointing),
            utterance_end_ms=round(1000 * self._settings.utterance_end),
        )

    async def _converse(self, socket: AsyncV1SocketClient) -> None:
        both = [asyncio.create_task(self._speak(socket)), asyncio.create_task(self._listen(socket))]
        try:
            done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)
        for task in done:
            task.result()

    async def _speak(self, socket: AsyncV1SocketClient) -> None:
        while True:
            while (pcm := self._tape.take()) is not None:
                await socket.send_media(pcm.astype("<i2", copy=False).tobytes())
            if self._finished:
                self._closing = True
                await socket.send_close_stream()
                return
            self._more.clear()
            try:
                async with asyncio.timeout(_KEEP_ALIVE):
                    await self._more.wait()
            except TimeoutError:
                await socket.send_keep_alive()

    async def _listen(self, socket: AsyncV1SocketClient) -> None:
        """Read results until the service closes, which it does after the last one."""
        while True:
            try:
                message = plain(await socket.recv())
            except ConnectionClosed as closed:
                if self._closing and closed.rcvd and closed.rcvd.code == CloseCode.NORMAL_CLOSURE:
                    return
                raise
            except (ValueError, RecursionError) as wrong:
                raise malformed() from wrong
            match message:
                case {"type": "Results"}:
                    await self._result(message)
                case {"type": "UtteranceEnd", "last_word_end": int(end) | float(end)}:
                    end = self._tape.end(max(0.0, end))
                    ended = StreamResult(Segment(end, end, ""), final=True, pause=True)
                    await self._results.put(ended)
                case {"type": "Error"}:
                    # An error about one of our messages, which is repeated in another field.
                    raise ServiceError("deepgram", shortened(str(message.get("description"))))

    async def _result(self, message: dict[str, Any]) -> None:
        match message:
            case {
                "start": int(start) | float(start),
                "duration": int(duration) | float(duration),
                "channel": {"alternatives": [alternative, *_]},
            }:
                segment = self._placed(alternative, start, start + duration)
            case _:
                raise malformed()
        final = bool(message.get("is_final"))
        pause = final and bool(message.get("speech_final"))
        if segment.text or pause:
            await self._results.put(StreamResult(segment, final, pause))
        if final:
            self._breaks = 0
            self._tape.answer(start + duration)
            self._answered.set()

    def _placed(self, alternative: Any, start: float, end: float) -> Segment:
        """The segment in the session's time. It is as long as its words: a result includes
        silence."""
        text, words, confidence = reading(alternative)
        if words:
            start, end = words[0].start, words[-1].end
        return Segment(
            self._tape.start(start),
            self._tape.end(end),
            text,
            words=tuple(
                replace(word, start=self._tape.start(word.start), end=self._tape.end(word.end))
                for word in words
            ),
            confidence=confidence,
        )


def _broken(closed: ConnectionClosed) -> ServiceError:
    """The error for a connection that ended early. A policy violation is about the sound itself."""
    if closed.rcvd is None:
        return ServiceError("deepgram", "the connection broke", retryable=True)
    code, reason = closed.rcvd.code, closed.rcvd.reason
    return ServiceError(
        "deepgram",
        shortened(f"it closed the connection, {code} {reason}"),
        retryable=code != CloseCode.POLICY_VIOLATION,
    )
