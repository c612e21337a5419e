"""One channel of Deepgram's live protocol: a session's events as its messages."""

from typing import Any

from coqui_server.protocols import deepgram_shapes as shapes
from coqui_server.protocols.deepgram_query import Query
from coqui_server.protocols.live_connection import LiveConnection
from coqui_server.transcription.events import Event, Final, Partial, UtteranceEnd
from coqui_server.transcription.session import Session
from coqui_transcript.transcript import Segment

_EARLY = -1.0
"""Seconds before any utterance begins."""


class Channel:
    """Sends what is heard on one channel. A sink of its session.

    Args:
        number: from 0.
        id: of the request.

    Attributes:
        session: set before the first sound.
    """

    session: Session

    def __init__(self, client: LiveConnection, query: Query, number: int, id: str) -> None:
        self._client = client
        self._interim = query.flag("interim_results")
        self._events = query.flag("vad_events")
        self._endpointing = query.endpointing
        self._utterance_end = query.utterance_end
        self._index = [number, query.streams]
        self._id = id
        self._begun = _EARLY
        self._open = False
        self._last_word: float | None = None
        self._quiet_since: float | None = None
        self._finalizing = False
        self._held: shapes.Json | None = None

    async def __call__(self, event: Event) -> None:
        match event:
            case Partial(_, text, start):
                await self._begin(start)
                if self._interim:
                    duration = self.session.duration - start
                    await self._client.send(self._results(shapes.partial(text), start, duration))
            case Final():
                await self._begin(event.segment.start)
                await self._final(event.segment)
            case UtteranceEnd():
                self._open = self._begun > event.end
                self._quiet_since, self._last_word = self._last_word, None
                await self._tell_utterance_end()

    async def look(self) -> None:
        """Tell what the sound that was just written makes known."""
        for start, end in self.session.utterances:
            if end is None and start > self._begun:
                self._open = False
                await self._begin(start)
        await self._tell_utterance_end()

    async def finalize(self) -> None:
        """End the utterance; the last result of the sound so far says that it was asked for."""
        self._finalizing = True
        try:
            await self.session.settle()
        finally:
            self._finalizing = False
        last, self._held = self._held, None
        if last is None:
            nothing = shapes.alternative([])
            last = self._results(nothing, self.session.duration, 0.0, final=True)
        await self._client.send({**last, "from_finalize": True})

    async def _begin(self, start: float) -> None:
        """Tell once that somebody speaks. Events may come after the sound was looked at."""
        if self._open or start <= self._begun:
            return
        self._open, self._begun = True, start
        self._quiet_since = None
        if self._events:
            told = {"channel": self._index, "timestamp": round(start, 6)}
            await self._client.send({"type": "SpeechStarted", **told})

    async def _final(self, segment: Segment) -> None:
        self._last_word = segment.words[-1].end if segment.words else segment.end
        result = self._results(
            shapes.alternative([segment]), segment.start, segment.end - segment.start, final=True
        )
        if self._finalizing:
            self._held, result = result, self._held or {}
        if result:
            await self._client.send(result)

    async def _tell_utterance_end(self) -> None:
        since, wait = self._quiet_since, self._utterance_end
        if since is None or wait is None or self.session.duration - since < wait:
            return
        self._quiet_since = None
        told = {"channel": self._index, "last_word_end": round(since, 6)}
        await self._client.send({"type": "UtteranceEnd", **told})

    def _results(
        self, alternative: shapes.Json, start: float, duration: float, *, final: bool = False
    ) -> dict[str, Any]:
        model, info = shapes.model_info(self.session.engine)
        return {
            "type": "Results",
            "channel_index": self._index,
            "duration": round(duration, 6),
            "start": round(start, 6),
            "is_final": final,
            "speech_final": final and self._endpointing,
            "channel": {"alternatives": [alternative]},
            "metadata": {"request_id": self._id, "model_info": info, "model_uuid": model},
            "from_finalize": False,
        }
