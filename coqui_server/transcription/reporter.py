"""Tells a session's events to its sinks, and collects its segments."""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from coqui_server.exceptions import ServerFault
from coqui_server.readable.writer import Writer
from coqui_server.transcription.events import (
    Event,
    Final,
    Partial,
    Sink,
    Source,
    SpeakersCorrected,
    UtteranceEnd,
)
from coqui_transcript.transcript import Segment

_HALVES = re.compile("[\ud800-\udfff\ufffd]")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reported:
    """An utterance that is decoded; times are seconds from the session's start.

    Attributes:
        segments: its text, for each of its speakers; empty if nothing was recognised.
        dropped: the number of words that were recognised and not believed.
    """

    start: float
    end: float
    segments: tuple[Segment, ...] = ()
    dropped: int = 0


Report = Callable[[Reported], Awaitable[None]]
"""Takes the utterances of one listening, in order. Raises ServerFault if one cannot be told."""


class Reporter:
    """The way out of a session: every event passes here, in order.

    Args:
        sinks: receive each event one after another, in this order.
        writer: writes texts as people do; None leaves them as they are.

    Attributes:
        source: what all events carry.
        segments: the finals so far.
        dropped: the utterances and words so far that were recognised and not believed.
    """

    def __init__(self, source: Source, sinks: Sequence[Sink], writer: Writer | None = None) -> None:
        self.source = source
        self.segments: list[Segment] = []
        self.dropped = {"dropped_utterances": 0, "dropped_words": 0}
        self._sinks = tuple(sinks)
        self._writer = writer

    def rename(self, label: str) -> None:
        """Give later events this label."""
        self.source = replace(self.source, label=label)

    async def partial(self, text: str, start: float) -> None:
        """Tell the text of the open utterance so far."""
        text = _whole(text)
        if self._writer:
            text = self._writer.partial(text)
        await self.tell(Partial(self.source, text, start))

    async def utterance(self, utterance: Reported) -> None:
        """Tell the text of an utterance, if it has any, and that the speaker paused."""
        if utterance.dropped:
            self._drop(utterance)
        for segment in utterance.segments:
            await self.final(segment)
        await self.utterance_end(utterance.end)

    def _drop(self, utterance: Reported) -> None:
        self.dropped["dropped_utterances"] += 1
        self.dropped["dropped_words"] += utterance.dropped
        _log.debug(
            "session %s: %.2f-%.2f %d words dropped, without speech enough for them",
            self.source.session,
            utterance.start,
            utterance.end,
            utterance.dropped,
        )

    async def final(self, segment: Segment) -> None:
        """Tell a text and keep it."""
        segment = replace(
            segment,
            text=_whole(segment.text),
            words=tuple(replace(word, text=_whole(word.text)) for word in segment.words),
            alternatives=tuple(
                replace(other, text=_whole(other.text)) for other in segment.alternatives
            ),
        )
        if self._writer:
            segment = _written(segment, self._writer)
        self.segments.append(segment)
        _log.debug(
            "session %s: %.2f-%.2f %s",
            self.source.session,
            segment.start,
            segment.end,
            segment.text,
        )
        await self.tell(Final(self.source, segment))

    async def correct(self, speakers: Mapping[int, str | None]) -> None:
        """Tell the speakers of earlier finals, by their number, as far as they were others."""
        changed = {
            number: replace(self.segments[number], speaker=speaker)
            for number, speaker in speakers.items()
            if self.segments[number].speaker != speaker
        }
        for number, segment in changed.items():
            self.segments[number] = segment
        if changed:
            await self.tell(SpeakersCorrected(self.source, changed))

    async def utterance_end(self, end: float) -> None:
        """Tell that the speaker paused at `end` seconds."""
        await self.tell(UtteranceEnd(self.source, end))

    async def tell(self, event: Event) -> None:
        """Give an event to every sink.

        Raises:
            ServerFault: a sink failed.
        """
        try:
            for sink in self._sinks:
                await sink(event)
        except ServerFault:
            raise
        # A sink may raise anything; it ends this session and no other.
        except Exception as error:
            _log.exception("session %s: a sink failed", self.source.session)
            raise ServerFault("a transcript event could not be passed on") from error


def _written(segment: Segment, writer: Writer) -> Segment:
    """The segment with its texts as people write them. Its words stay as they were spoken."""
    others = tuple(
        replace(other, text=writer.partial(other.text)) for other in segment.alternatives
    )
    text = writer.final(segment.text, segment.speaker)
    return replace(segment, text=text, alternatives=others)


def _whole(text: str) -> str:
    """The text without half characters.

    Engines that write byte by byte leave the first bytes of a character, as a lone surrogate or as
    U+FFFD, where an utterance or a partial ends in the middle of it.
    """
    return _HALVES.sub("", text)
