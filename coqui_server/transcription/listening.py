"""How a session turns its sound into text: the interface, and the choice between its forms."""

from collections.abc import Sequence
from functools import partial
from typing import Protocol

from coqui_server.config.settings import Settings
from coqui_server.engines.base import AnyEngine, StreamingService
from coqui_server.exceptions import ServerFault
from coqui_server.media.samples import Samples
from coqui_server.transcription.gated import GatedListening
from coqui_server.transcription.legs import LegsListening
from coqui_server.transcription.reporter import Reporter
from coqui_server.transcription.request import SessionRequest
from coqui_server.transcription.scheduler import Scheduler
from coqui_server.transcription.streamed import StreamedListening
from coqui_server.transcription.timing import Timing
from coqui_server.transcription.utterance import Span


class Listening(Protocol):
    """Takes a session's samples and reports its text. Failures of decoding show as `failure`.

    Attributes:
        failure: why there is no more text, if so; the caller then writes no more.
        final_seconds, partial_seconds: seconds of decoding, for finals and for what became no
            final.
        utterances: those of live sound that are not reported yet, in order; none where a service
            finds them.
    """

    @property
    def failure(self) -> ServerFault | None: ...

    @property
    def final_seconds(self) -> float: ...

    @property
    def partial_seconds(self) -> float: ...

    @property
    def utterances(self) -> Sequence[Span]: ...

    async def start(self) -> None:
        """Begin. Raises ServiceError when a service cannot be reached."""

    async def write(self, pcm: Samples) -> None:
        """Take the next 16 kHz mono int16 samples; wait while too many are not decoded yet."""

    async def skip(self, samples: int) -> None:
        """End the utterance, and move the clock over so many samples of silence."""

    async def catch_up(self) -> None:
        """Wait until what can be known of the sound so far is reported, with partials that are due.

        Returns at once if a service listens: it answers when it likes.
        """

    async def settle(self) -> None:
        """End the utterance, and wait until all its text is reported."""

    async def finish(self) -> None:
        """The sound is over: report what is left, then stop."""

    async def close(self) -> None:
        """Stop at once. After `finish`, or a second time, it does nothing."""


def listening(
    request: SessionRequest,
    engine: AnyEngine,
    scheduler: Scheduler,
    settings: Settings,
    reporter: Reporter,
    timing: Timing,
) -> Listening:
    """Streamed to a service that finds the utterances itself, where it can; else gated here.

    A file is always gated, each of its legs by itself: services that stream take sound at the pace
    of speech. So is sound whose speakers are told apart, which is done utterance by utterance.
    """
    if request.live and isinstance(engine, StreamingService) and request.voices is None:
        return StreamedListening(engine, request, reporter)
    gated = partial(GatedListening, engine, request, scheduler, settings, reporter, timing)
    return gated() if request.live else LegsListening(gated, reporter)
