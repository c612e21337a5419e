"""What a session hears as the items of OpenAI's Realtime protocol. No I/O.

An item is a turn: from `speech_started` to `speech_stopped` where the server finds the turns, or
what came until the client's commit. Each gets its text once, with `completed` or `failed`, in the
order of speech. Events are those of `openai.types.realtime`.
"""

import secrets
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf
from typing import Any

from coqui_server.exceptions import ServerFault
from coqui_server.exports import openai
from coqui_server.exports.openai import Json
from coqui_server.protocols import openai_errors
from coqui_server.protocols.openai_configuration import Configuration
from coqui_server.protocols.openai_deltas import Deltas
from coqui_server.transcription.events import Event, Final, Partial, UtteranceEnd
from coqui_server.transcription.utterance import Span
from coqui_transcript.transcript import Segment


@dataclass(eq=False)
class _Item:
    """One turn.

    Attributes:
        start: of its sound, in seconds from the first sound of the connection.
        seconds: of its sound, once it is committed.
        dropped: the client cleared it, and is told nothing more of it.
    """

    start: float
    deltas: Deltas
    seconds: float | None = None
    dropped: bool = False
    segments: list[Segment] = field(default_factory=list)
    id: str = field(default_factory=lambda: f"item_{secrets.token_hex(12)}")


class Items:
    """The items of one connection.

    Attributes:
        events: to be sent, in this order; who sends them takes them away.
        older: they have the form of the beta.
    """

    def __init__(self, *, older: bool = False) -> None:
        self.events: deque[Json] = deque()
        self.older = older
        # Those whose text is not told yet, in the order of speech.
        self._items: deque[_Item] = deque()
        self._previous: str | None = None
        self._segments = 0
        # Where the sound begins that is in no committed item.
        self._rest = 0.0
        self.begin(Configuration(), 0.0)

    def begin(self, configuration: Configuration, now: float) -> None:
        """A session begins to listen, `now` seconds after the first sound of the connection.

        A turn that the client has not ended goes on in it, unless the server now finds the turns.
        """
        self._configuration = configuration
        self._turns = configuration.turn_detection is not None
        self._begun = self._reported = now
        if self._turns:
            self.settle(now)

    def look(self, utterances: Iterable[Span]) -> None:
        """Tell what the sound that was just written makes known: who begins to speak, who stops."""
        for start, end in utterances if self._turns else ():
            if self._begun + start >= self._reported:
                item = self._found(start, end) or self._start(start)
                if end is not None:
                    self._stop(item, end)

    def take(self, event: Event) -> None:
        """Tell what the session tells."""
        match event:
            case Partial(_, text, start):
                item = self._first(start)
                self._add(item, item.deltas.partial(text))
            case Final(_, segment):
                item = self._first(segment.start)
                item.segments.append(segment)
                self._add(item, item.deltas.final(segment.text))
                self._name_speaker(item, segment)
            case UtteranceEnd(_, end) if self._turns:
                self._reported = self._begun + end
                if self._items:
                    item = self._items.popleft()
                    self._stop(item, end)
                    self._complete(item)

    def uncommitted(self, now: float) -> bool:
        """Whether there is sound that is in no committed item."""
        return now > self._rest

    def commit(self, now: float) -> None:
        """The client ends the turn: the sound that is in no item becomes one."""
        self._commit(self._open(), now)

    def clear(self, now: float) -> None:
        """The client drops the sound that is in no item."""
        self._open().dropped = True
        self._rest = now

    def settle(self, now: float) -> None:
        """All text of the sound so far is known: complete every item."""
        while self._items:
            item = self._items.popleft()
            self._commit(item, now)
            self._complete(item)

    def fail(self, fault: ServerFault, now: float) -> None:
        """The session failed: no item gets a text that has none yet."""
        if not self._items:
            self._open()
        error = openai_errors.error(fault)["error"]
        while self._items:
            item = self._items.popleft()
            self._commit(item, now)
            self._tell_text(item, "failed", error=error)

    def _first(self, start: float) -> _Item:
        """The item to which the next text belongs."""
        if self._items:
            return self._items[0]
        return self._start(start) if self._turns else self._open()

    def _open(self) -> _Item:
        """The item that is not committed yet."""
        if not self._items or self._items[-1].seconds is not None:
            self._items.append(self._item(self._rest))
        return self._items[-1]

    def _found(self, start: float, end: float | None) -> _Item | None:
        """The item of an utterance, which a text may have begun a little later."""
        first, last = self._begun + start, inf if end is None else self._begun + end
        return next((item for item in self._items if first <= item.start < last), None)

    def _start(self, start: float) -> _Item:
        item = self._item(self._begun + start)
        self._items.append(item)
        milliseconds = round(item.start * 1000)
        self._tell(
            "input_audio_buffer.speech_started", audio_start_ms=milliseconds, item_id=item.id
        )
        return item

    def _stop(self, item: _Item, end: float) -> None:
        if item.seconds is None:
            until = self._begun + end
            if not item.dropped:
                self._tell(
                    "input_audio_buffer.speech_stopped",
                    audio_end_ms=round(until * 1000),
                    item_id=item.id,
                )
            self._commit(item, until)

    def _commit(self, item: _Item, now: float) -> None:
        if item.seconds is not None:
            return
        item.seconds, self._rest = now - item.start, now
        if item.dropped:
            return
        before, self._previous = self._previous, item.id
        placed = {"previous_item_id": before}
        self._tell("input_audio_buffer.committed", item_id=item.id, **placed)
        content = [{"type": "input_audio", "transcript": None}]
        about = {"id": item.id, "object": "realtime.item", "type": "message", "role": "user"}
        for kind in ("created",) if self.older else ("added", "done"):
            whole = {**about, "status": "completed", "content": content}
            self._tell(f"conversation.item.{kind}", item=whole, **placed)

    def _add(self, item: _Item, delta: str) -> None:
        if delta:
            self._tell_text(item, "delta", delta=delta)

    def _name_speaker(self, item: _Item, segment: Segment) -> None:
        if segment.speaker is None:
            return
        self._segments += 1
        self._tell_text(
            item,
            "segment",
            id=f"seg_{self._segments}",
            text=segment.text,
            speaker=segment.speaker,
            start=round(self._begun + segment.start, 3),
            end=round(self._begun + segment.end, 3),
        )

    def _complete(self, item: _Item) -> None:
        assert item.seconds is not None
        told: Json = {
            "transcript": " ".join(segment.text for segment in item.segments),
            "usage": {"type": "duration", "seconds": round(item.seconds, 3)},
        }
        if self._configuration.logprobs:
            told["logprobs"] = list(openai.word_logprobs(item.segments)) or None
        self._tell_text(item, "completed", **told)

    def _tell_text(self, item: _Item, kind: str, **values: Any) -> None:
        if not item.dropped:
            about = {"item_id": item.id, "content_index": 0}
            kind = f"conversation.item.input_audio_transcription.{kind}"
            self._tell(kind, **about, **values)

    def _tell(self, kind: str, **values: Any) -> None:
        self.events.append({"type": kind, **values})

    def _item(self, start: float) -> _Item:
        return _Item(start, Deltas(self._configuration.agreeing or 1))
